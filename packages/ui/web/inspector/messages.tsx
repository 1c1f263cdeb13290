import type { MessageView } from '@postern/inspector/shapes';
import type { ReactNode } from 'react';
import { useLoaded } from '../shared/api.ts';
import { bytes, duration } from '../shared/format.ts';
import { bytesOfBase64, hexDump } from '../shared/pretty.ts';

const OPCODES: Readonly<Record<number, string>> = {
  0: 'continuation',
  1: 'text',
  2: 'binary',
  8: 'close',
  9: 'ping',
  10: 'pong',
};
/** Of a binary frame. */
const MOST_HEX = 512;

interface MessageList {
  readonly messages: readonly MessageView[];
  readonly count: number;
}

/** Frames of a WebSocket, events of an event stream, messages and trailers of HTTP/2, newest first, as they come. */
export function Messages({ id, version }: { readonly id: string; readonly version: number }): ReactNode {
  const { value, problem } = useLoaded<MessageList>(`/api/inspect/exchanges/${id}/messages?limit=500`, version);
  if (problem !== '') return <p className="problem">{problem}</p>;
  if (value === undefined) return <p className="soft">Loading …</p>;
  if (value.messages.length === 0) return <p className="soft">None yet.</p>;
  return (
    <>
      {value.count > value.messages.length && (
        <p className="soft">
          The newest {value.messages.length} of {value.count}.
        </p>
      )}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <ol className="messages" tabIndex={0} aria-label="Messages, newest first" reversed>
        {value.messages.toReversed().map((message) => (
          <li key={message.number}>
            <span className="soft">+{duration(message.at)}</span>
            <span>{titleOf(message)}</span>
            <pre>{contentOf(message)}</pre>
          </li>
        ))}
      </ol>
    </>
  );
}

function titleOf({
  kind,
  fromVisitor,
  opcode,
  bytes: size,
  final,
  deflated,
  inflated,
  problem,
  truncated,
}: MessageView): string {
  const side = fromVisitor ? '↑ visitor' : '↓ service';
  const words =
    kind === 'event'
      ? ['event']
      : kind === 'frame'
        ? [side, OPCODES[opcode] ?? `opcode ${opcode}`]
        : [side, kind === 'trailers' ? kind : opcode === 0 ? 'message' : 'compressed message'];
  return [
    ...words,
    bytes(size),
    ...(final ? [] : ['more follows']),
    ...(deflated ? [inflated === undefined ? 'deflated' : `${bytes(inflated)} unfolded`] : []),
    ...(problem === undefined ? [] : [problem]),
    ...(truncated ? ['cut'] : []),
  ].join(' · ');
}

function contentOf({ opcode, kind, text, base64, bytes: size }: MessageView): string {
  if (kind === 'frame' && opcode === 8)
    return closing(base64 === undefined ? new TextEncoder().encode(text) : bytesOfBase64(base64));
  if (text !== undefined) return text;
  const data = bytesOfBase64(base64 ?? '');
  return `${hexDump(data.subarray(0, MOST_HEX))}${size > MOST_HEX ? '\n…' : ''}`;
}

/** RFC 6455 §7: a code, then words. */
function closing(data: Uint8Array): string {
  if (data.length < 2) return '';
  return `${((data[0] ?? 0) << 8) | (data[1] ?? 0)} ${new TextDecoder().decode(data.subarray(2))}`.trim();
}
