import { fail } from '@postern/errors';
import type { MuxSession, MuxStream, MuxStreamHandler } from '../mux/types.ts';
import { JsonReader } from './json-reader.ts';

/** How an RPC came out. One of the two runs, once, unless the caller resets the stream first. */
export interface RpcOutcome {
  /** `n` bytes of the message came. @returns false when it is more than the owner bears: the message fails */
  onBytes?(n: number): boolean;
  /** The one JSON object of the other side. */
  onMessage(value: unknown): void;
  /** It will not come: reset, ended too early, too long, not JSON. The stream is over. */
  onFailure(error: Error): void;
}

/**
 * Asks: opens a stream with `request` in its first frame, collects one JSON object, then FINs (agent-protocol.md §4).
 * Some agents leave their side open after the answer; a caller that minds resets the returned stream then. Deadlines
 * are the caller's: reset the stream when one passes.
 */
export function callRpc(
  session: MuxSession,
  type: number,
  request: Buffer,
  limit: number,
  outcome: RpcOutcome,
): MuxStream {
  const collector = new Collector(limit, outcome, true);
  const stream = session.open(type, collector, request);
  collector.attach(stream);
  return stream;
}

/**
 * Answers: collects the one JSON object of an inbound stream without waiting for FIN; the owner then ends the stream
 * with its answer. Sets `stream.handler`.
 */
export function acceptRpc(stream: MuxStream, limit: number, outcome: RpcOutcome): void {
  const collector = new Collector(limit, outcome, false);
  collector.attach(stream);
  stream.handler = collector;
}

class Collector implements MuxStreamHandler {
  readonly #reader: JsonReader;
  readonly #outcome: RpcOutcome;
  readonly #endsAfter: boolean;
  #stream: MuxStream | undefined = undefined;
  #done = false;

  constructor(limit: number, outcome: RpcOutcome, endsAfter: boolean) {
    this.#reader = new JsonReader(limit);
    this.#outcome = outcome;
    this.#endsAfter = endsAfter;
  }

  attach(stream: MuxStream): void {
    this.#stream = stream;
  }

  onData(chunk: Buffer): void {
    this.#stream?.consume(chunk.length);
    if (this.#done) return;
    let value: unknown;
    try {
      if (this.#outcome.onBytes?.(chunk.length) === false) throw fail(109, { reason: 'too much is asked at once' });
      if (!this.#reader.push(chunk)) return;
      value = this.#reader.value();
    } catch (error) {
      this.#fail(error instanceof Error ? error : fail(109, { reason: String(error) }));
      return;
    }
    this.#done = true;
    if (this.#endsAfter) this.#stream?.end();
    this.#outcome.onMessage(value);
  }

  onEnd(): void {
    if (this.#done) return;
    this.#fail(fail(109, { reason: this.#reader.started ? 'it ends too early' : 'the stream ended without one' }));
  }

  onReset(code: number): void {
    if (this.#done) return;
    this.#done = true;
    this.#outcome.onFailure(fail(109, { reason: `the stream was reset with code ${code}` }));
  }

  onDrain(): void {}

  #fail(error: Error): void {
    this.#done = true;
    // A server answers with the reason; an asker has nothing more to say.
    if (this.#endsAfter) this.#stream?.end();
    this.#outcome.onFailure(error);
  }
}
