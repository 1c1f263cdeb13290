/** Reads captured bytes of one message leniently: what passed the agent was judged by the edge and the service. */

export interface WireMessage {
  /** The first line in its three parts: method, target, version, or version, status, reason. */
  readonly line: readonly [string, string, string];
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** As it was sent, chunk framing removed. */
  readonly body: Buffer;
  /** Bytes of the head, and of heads before it (1xx). */
  readonly headBytes: number;
}

const HEAD_END = '\r\n\r\n';

export function readWireMessage(bytes: Buffer): WireMessage {
  let start = 0;
  for (;;) {
    const found = bytes.indexOf(HEAD_END, start, 'latin1');
    const end = found < 0 ? bytes.length : found + HEAD_END.length;
    const [first = '', ...lines] = bytes.toString('latin1', start, found < 0 ? end : found).split('\r\n');
    const line = partsOf(first);
    // Interim answers come before the one that counts.
    if (line[0].startsWith('HTTP/') && /^1\d\d$/.test(line[1]) && line[1] !== '101' && end < bytes.length) {
      start = end;
      continue;
    }
    const fields = lines.flatMap((text): [string, string][] => {
      const colon = text.indexOf(':');
      return colon <= 0 ? [] : [[text.slice(0, colon), text.slice(colon + 1).trim()]];
    });
    const body = bytes.subarray(end);
    const chunked = (fieldOf(fields, 'transfer-encoding') ?? '').toLowerCase().endsWith('chunked');
    return { line, fields, body: chunked ? withoutChunks(body) : body, headBytes: end };
  }
}

export function fieldOf(fields: WireMessage['fields'], name: string): string | undefined {
  return fields.find(([each]) => each.toLowerCase() === name)?.[1];
}

function partsOf(line: string): [string, string, string] {
  const first = line.indexOf(' ');
  if (first < 0) return [line, '', ''];
  const second = line.indexOf(' ', first + 1);
  if (second < 0) return [line.slice(0, first), line.slice(first + 1), ''];
  return [line.slice(0, first), line.slice(first + 1, second), line.slice(second + 1)];
}

/** Also of a body that was cut short. */
function withoutChunks(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    const lineEnd = bytes.indexOf('\r\n', at, 'latin1');
    if (lineEnd < 0) break;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (!(size > 0)) break;
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
  return Buffer.concat(parts);
}
