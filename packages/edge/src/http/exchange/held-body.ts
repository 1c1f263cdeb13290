/**
 * The body of a request that a policy wants to see: held up to a limit, and given to every service that the request is
 * sent to, as if it came just then. What is beyond the limit stays with the visitor until there is one.
 */
import type { BodyProblem } from '@postern/policy';
import type { EdgeContext, TimerHandle } from '../../context.ts';
import type { BodyOwner, BodyRoom } from './body-room.ts';
import type { Exchange, Upstream } from './exchange.ts';
import { removeField, valueOf } from './fields.ts';

const EMPTY = Buffer.alloc(0);

interface Reader {
  readonly limit: number;
  readonly done: (result: Buffer | BodyProblem) => void;
}

export class HeldBody {
  readonly #exchange: Exchange;
  readonly #room: BodyRoom;
  readonly #owner: BodyOwner;
  readonly #deadline: TimerHandle;
  #parts: Buffer[] = [];
  #bytes = 0;
  /** Bytes of memory that stand against the room. */
  #taken = 0;
  #readers: Reader[] = [];
  #problem: BodyProblem | null = null;
  #given = 0;

  private constructor(exchange: Exchange, edge: EdgeContext) {
    this.#exchange = exchange;
    this.#room = edge.bodies;
    this.#owner = { network: exchange.requester.network, endpointId: exchange.current?.endpoint.id ?? '' };
    // Who takes longer than that would hold memory for nothing.
    this.#deadline = exchange.requester.guard.schedule(edge.config.limits.policyBodyMs, () => this.#fail('too-slow'));
  }

  /**
   * @param limit bytes
   * @returns memory that the service's bytes share: it is to be read only
   */
  static read(exchange: Exchange, edge: EdgeContext, limit: number): Promise<Buffer | BodyProblem> {
    if (exchange.held !== null) return exchange.held.read(limit);
    const { bodyConsumed, upstream, responding, finished } = exchange;
    if (bodyConsumed || upstream !== null || responding || finished) return Promise.resolve('gone');
    if (exchange.requestEnded) return Promise.resolve(EMPTY);
    const held = new HeldBody(exchange, edge);
    exchange.held = held;
    return held.read(limit);
  }

  /** Whether bytes of the body may come now, before any service takes them. */
  get wanted(): boolean {
    return this.#readers.length > 0;
  }

  read(limit: number): Promise<Buffer | BodyProblem> {
    if (this.#problem !== null) return Promise.resolve(this.#problem);
    if (this.#bytes > limit) return Promise.resolve('too-large');
    if (this.#exchange.requestEnded) return Promise.resolve(this.#all());
    return new Promise((resolve) => {
      this.#readers.push({ limit, done: resolve });
      this.#ask();
    });
  }

  /** The visitor may be waiting to be asked for it (RFC 9110 §10.1.1); the service need not ask again. */
  #ask(): void {
    const { fields, downstream } = this.#exchange;
    if (valueOf(fields, 'expect')?.toLowerCase() === '100-continue') {
      removeField(fields, 'expect');
      downstream.informational(100, 'Continue', []);
    }
    downstream.resume();
  }

  // From the visitor.

  /** Bytes for which there is no service yet, or which come behind others that it has not taken. */
  keep(chunk: Buffer, start: number, end: number): void {
    const length = end - start;
    if (length === 0 || this.#problem === 'gone') return;
    this.#parts.push(Buffer.from(chunk.subarray(start, end)));
    this.#bytes += length;
    if (this.#readers.length === 0) return this.#exchange.downstream.pause();
    if (!this.#room.take(this.#owner, length)) return this.#fail('no-room');
    this.#taken += length;
    this.#settle(({ limit }) => limit < this.#bytes, 'too-large');
    if (this.#readers.length === 0) this.#exchange.downstream.pause();
  }

  ended(): void {
    this.#deadline.cancel();
    this.#settle(() => true, this.#readers.length > 0 ? this.#all() : EMPTY);
  }

  // To the service.

  /** From the first byte, to another one than before. */
  rewind(): void {
    this.#given = 0;
  }

  /** @returns whether the upstream has been given all that is held; if not, it goes on when it says `drained` */
  give(upstream: Upstream): boolean {
    while (this.#given < this.#parts.length) {
      const part = this.#parts[this.#given++];
      if (part !== undefined && !upstream.body(part, 0, part.length)) return false;
    }
    return true;
  }

  /** Nobody needs it any more. */
  release(): void {
    this.#fail('gone');
    this.#room.give(this.#owner, this.#taken);
    this.#taken = 0;
    this.#parts = [];
  }

  #all(): Buffer {
    return this.#parts.length === 1 ? (this.#parts[0] ?? EMPTY) : Buffer.concat(this.#parts);
  }

  #fail(problem: BodyProblem): void {
    this.#deadline.cancel();
    this.#problem ??= problem;
    if (this.#readers.length === 0) return;
    this.#exchange.downstream.pause();
    this.#settle(() => true, problem);
  }

  #settle(which: (reader: Reader) => boolean, result: Buffer | BodyProblem): void {
    const settled = this.#readers.filter(which);
    this.#readers = this.#readers.filter((reader) => !which(reader));
    for (const { done } of settled) done(result);
  }
}
