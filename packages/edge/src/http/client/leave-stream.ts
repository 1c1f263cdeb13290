/** How a visitor's stream into an agent is left. */
import type { AgentUpstream } from '@postern/link';
import { MuxErrorCode, type MuxStream, type MuxStreamHandler, type ResponseHead } from '@postern/protocol';
import { partStream } from '../../agents/part-stream.ts';
import type { EdgeContext } from '../../context.ts';
import type { RequestDraft } from '../exchange/message.ts';

/** Our agents keep a service's connection for so long (agent/src/forward/service-pool.ts). */
const RELEASED_MS = 3_000;
const UNAUTHORIZED = 401;

/**
 * Behind such a request the service's connection stays this visitor's: it carries what may be meant for the connection,
 * or a body, in which a service that frames otherwise than we do could see another request, whose answer the next
 * visitor would get.
 */
export function bindsAsRequest(request: RequestDraft): boolean {
  return request.framing.kind !== 'none' || request.method === 'HEAD' || request.bindsConnection;
}

/**
 * The same of its answer: one that asks for what may be said once for all that follows (RFC 4559 §6), and one without a
 * body by its status, behind which a careless service sends one all the same.
 */
export function bindsAsAnswer({ status, framing }: ResponseHead): boolean {
  return status === UNAUTHORIZED || framing.kind === 'none';
}

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
