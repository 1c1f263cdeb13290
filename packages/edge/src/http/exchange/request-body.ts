/**
 * The body of a request on its way from the visitor to whoever takes it: through filters, past those who want to see it
 * first, and once more to another service while what was given before can be given again.
 */
import type { BodySink } from '@postern/policy';
import type { RawFields } from '@postern/protocol';
import type { Guard } from '../../guard.ts';
import { FilterChain } from '../filters/chain.ts';
import type { HeldBody } from './held-body.ts';
import type { RequestDraft } from './message.ts';
import { Pieces } from './pieces.ts';
import type { BodySource, Upstream } from './ports.ts';

export class RequestBody {
  ended = false;
  /** Unix milliseconds; 0 = it has not. */
  endedAt = 0;
  /** A service has been given bytes of it that nobody keeps here. */
  consumed = false;
  /** It waits for the service, not for the visitor. */
  waits = false;
  /** What another upstream was given of it, for the next one; null = nothing. */
  replay: readonly Buffer[] | null = null;
  /** What policies have read of it; null = none has. */
  held: HeldBody | null = null;
  readonly #request: RequestDraft;
  readonly #source: BodySource;
  readonly #guard: Guard;
  readonly #failed: () => void;
  #trailer: RawFields | null = null;
  #upstream: Upstream | null = null;
  #chain: FilterChain | null = null;
  /** The upstream is being given what was held, and what comes meanwhile stands behind it. */
  #giving = false;
  #answered = false;
  /** What filters gave between one upstream and the next. */
  readonly #late = new Pieces();

  /** @param failed a filter cannot go on */
  constructor(request: RequestDraft, source: BodySource, guard: Guard, failed: () => void) {
    this.#request = request;
    this.#source = source;
    this.#guard = guard;
    this.#failed = failed;
  }

  /** Whether bytes may come while there is no upstream. */
  get wanted(): boolean {
    return this.held?.wanted === true;
  }

  // From the visitor.

  take(chunk: Buffer, start: number, end: number): void {
    const { held } = this;
    const upstream = this.#upstream;
    // Behind bytes that are held, these have to wait for their turn.
    if (held !== null && (upstream === null || this.#giving)) return held.keep(chunk, start, end);
    if (upstream === null) return;
    this.consumed = true;
    if ((this.#chain ?? upstream).body(chunk, start, end)) return;
    this.waits = true;
    this.#source.pause();
  }

  trailers(fields: RawFields): void {
    this.#trailer = fields;
    if (!this.#giving) this.#upstream?.trailers(fields);
  }

  end(now: number): void {
    this.ended = true;
    this.endedAt = now;
    this.held?.ended();
    if (!this.#giving) this.#sink?.end();
  }

  // To the service.

  attach(upstream: Upstream): void {
    this.#upstream = upstream;
    const { replay, held } = this;
    this.replay = null;
    if (replay !== null) {
      for (const part of [...replay, ...this.#late.take()]) upstream.body(part, 0, part.length);
    } else {
      this.#filter();
      if (held !== null) {
        held.rewind();
        this.#giving = !held.give(this.#chain ?? upstream);
      }
    }
    if (!this.#giving) this.#given();
  }

  detach(): void {
    this.#upstream = null;
    this.#giving = false;
  }

  drained(): void {
    if (this.#chain === null) this.#goOn();
    else this.#chain.resume();
  }

  /** The visitor is being answered: nobody else is sent the request, and the answer may take hours. */
  answered(): void {
    this.#answered = true;
    if (!this.#giving) this.held?.release();
  }

  release(): void {
    this.held?.release();
    this.#chain?.destroy();
  }

  get #sink(): BodySink | null {
    if (this.#upstream === null || this.#chain === null || this.#chain.over) return this.#upstream;
    return this.#chain;
  }

  /** Each try has its own filters, as they may keep parts of the body. */
  #filter(): void {
    const { filters, framing } = this.#request;
    if (filters === null) return;
    this.#chain?.destroy();
    this.#late.take();
    this.#chain = new FilterChain(
      filters,
      framing.kind !== 'length',
      {
        body: (chunk, start, end) => this.#filtered(chunk, start, end),
        end: () => this.#upstream?.end(),
        drained: () => this.#goOn(),
        failed: this.#failed,
      },
      this.#guard,
    );
  }

  /** Out of the filters. */
  #filtered(chunk: Buffer, start: number, end: number): boolean {
    // Upstreams may keep what they are given.
    if (this.#upstream !== null) return this.#upstream.body(Buffer.from(chunk.subarray(start, end)), 0, end - start);
    this.#late.add(chunk, start, end);
    return false;
  }

  /** The upstream takes more. */
  #goOn(): void {
    this.waits = false;
    const { held } = this;
    const sink = this.#sink;
    if (!this.#giving || sink === null || held === null) this.#source.resume();
    else if (held.give(sink)) this.#given();
  }

  /** The upstream has all that was here before it. */
  #given(): void {
    this.#giving = false;
    if (this.#answered) this.held?.release();
    // A body can have ended before anybody was there to take it, or with the try before this one.
    if (this.ended) {
      if (this.#trailer !== null) this.#upstream?.trailers(this.#trailer);
      this.#sink?.end();
    }
    this.#source.resume();
  }
}
