/** How a visitor's stream into an agent is left. */
import type { AgentUpstream } from '@postern/link';
import { MuxErrorCode, type MuxStream, type MuxStreamHandler } from '@postern/protocol';
import { partStream } from '../../agents/part-stream.ts';
import type { EdgeContext } from '../../context.ts';

/** Our agents keep a service's connection for so long (agent/src/forward/service-pool.ts). */
const RELEASED_MS = 3_000;

/**
 * @param usableUntil Unix milliseconds until which the service awaits another request on it, whoever's it is; 0 = what is
 *   behind the stream is of no use to others
 */
export function leaveStream(edge: EdgeContext, upstream: AgentUpstream, stream: MuxStream, usableUntil: number): void {
  // Until it is over, nothing that this visitor had waits with it.
  stream.handler = new Left(stream);
  if (usableUntil - edge.now() >= RELEASED_MS) edge.agents.release(upstream, stream);
  else partStream(stream, edge.wheel);
}

class Left implements MuxStreamHandler {
  readonly #stream: MuxStream;

  constructor(stream: MuxStream) {
    this.#stream = stream;
  }

  onData(): void {
    this.#stream.reset(MuxErrorCode.streamCancelled);
  }

  onEnd(): void {}

  onReset(): void {}

  onDrain(): void {}
}
