import { EventBlocks, isEventStream, type EventBlock } from '../event-blocks.ts';
import type { CompiledPhase } from '../runtime.ts';
import type { TrialContext } from './context.ts';

/** An event stream with its messages judged; `cut` = why it ended early, as an error's code, '' = it did not. */
export interface Judged {
  readonly body: Buffer;
  readonly cut: string;
}

/** An answer that is an event stream is cut at the first message that is not let through. */
export async function judgedMessages(
  phase: CompiledPhase | null,
  context: TrialContext,
  body: Buffer,
): Promise<Judged> {
  if (phase === null || !isEventStream(context.res?.headers.get('content-type'))) return { body, cut: '' };
  const parts: Buffer[] = [];
  for (const part of partsOf(body)) {
    if (Buffer.isBuffer(part)) {
      parts.push(part);
      continue;
    }
    context.event = part;
    const outcome = await phase.start(context).next();
    if (outcome.kind !== 'continue') {
      return { body: Buffer.concat(parts), cut: outcome.kind === 'error' ? outcome.error.code : outcome.kind };
    }
    parts.push(...part.parts);
  }
  return { body: Buffer.concat(parts), cut: '' };
}

function partsOf(body: Buffer): (Buffer | EventBlock)[] {
  const parts: (Buffer | EventBlock)[] = [];
  const blocks = new EventBlocks(
    {
      between: (bytes, start, end) => void parts.push(Buffer.from(bytes.subarray(start, end))),
      message: (block) => void parts.push(block),
    },
    Math.max(1, body.length),
    () => true,
  );
  for (let at = 0; at < body.length;) at = blocks.take(body, at, body.length);
  blocks.end();
  return parts;
}
