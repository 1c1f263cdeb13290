import { MuxErrorCode, type MuxStream } from '@postern/protocol';
import type { TimerWheel } from '../context.ts';

/** How long an agent may take to answer our FIN, and its service may go on for a visitor who is gone. */
export const GONE_GRACE_MS = 2_000;

/**
 * How a stream ends of which nobody wants more: FIN, and RST when the agent goes on or does not answer. A reset alone
 * does not wake some agents (agent-protocol.md §0 rule 8).
 */
export function partStream(stream: MuxStream, wheel: Pick<TimerWheel, 'schedule'>): void {
  if (stream.closed) return;
  if (stream.writable) stream.end();
  if (stream.closed) return;
  wheel.schedule(GONE_GRACE_MS, () => {
    if (!stream.closed) stream.reset(MuxErrorCode.streamCancelled);
  });
}
