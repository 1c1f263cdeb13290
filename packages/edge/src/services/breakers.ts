/**
 * Circuit breakers of policies. One has three states: closed (requests pass and are counted), open (none passes), and
 * trying (one passes, and what comes of it decides). Their number is that of actions, which policies bound, times the
 * edits that are still remembered: beyond `MOST` the one that was asked longest ago is forgotten, and begins anew.
 */
import type { BreakerLimit, BreakerPass, Breakers } from '@postern/policy';

const MOST = 20_000;
const MOST_OF_ONE = 500;

class Breaker {
  readonly #limit: BreakerLimit;
  readonly #sliceMs: number;
  /** Requests and failures by slice; a slice is cleared when its turn comes again. */
  readonly #requests: number[];
  readonly #failures: number[];
  #slice = 0;
  /** Open until then; 0 = closed. */
  #openUntil = 0;
  /** One is under way that tries, since then; 0 = none. */
  #tryingSince = 0;

  constructor(limit: BreakerLimit) {
    this.#limit = limit;
    this.#sliceMs = limit.windowMs / limit.slices;
    this.#requests = Array.from({ length: limit.slices }, () => 0);
    this.#failures = Array.from({ length: limit.slices }, () => 0);
  }

  /** @returns what kind of request this is; null = none may pass */
  enter(now: number): 'counted' | 'tries' | null {
    if (this.#openUntil === 0) return 'counted';
    if (now < this.#openUntil) return null;
    // One that never ends does not keep the others out for ever.
    if (this.#tryingSince !== 0 && now - this.#tryingSince < this.#limit.trippedMs) return null;
    this.#tryingSince = now;
    return 'tries';
  }

  leave(kind: 'counted' | 'tries', verdict: 'failed' | 'fine' | 'unknown', now: number): void {
    if (kind === 'tries') this.#tried(verdict, now);
    // What began before it tripped has been counted enough.
    else if (this.#openUntil === 0 && verdict !== 'unknown') this.#count(verdict === 'failed', now);
  }

  #tried(verdict: 'failed' | 'fine' | 'unknown', now: number): void {
    this.#tryingSince = 0;
    if (verdict === 'failed') this.#openUntil = now + this.#limit.trippedMs;
    else if (verdict === 'fine') {
      this.#openUntil = 0;
      this.#requests.fill(0);
      this.#failures.fill(0);
    }
  }

  #count(failed: boolean, now: number): void {
    const slice = Math.floor(now / this.#sliceMs);
    const { slices, volume, errorShare, trippedMs } = this.#limit;
    for (let at = Math.max(this.#slice + 1, slice - slices + 1); at <= slice; at++) {
      this.#requests[at % slices] = 0;
      this.#failures[at % slices] = 0;
    }
    this.#slice = slice;
    const place = slice % slices;
    this.#requests[place] = (this.#requests[place] ?? 0) + 1;
    if (failed) this.#failures[place] = (this.#failures[place] ?? 0) + 1;
    const requests = this.#requests.reduce((sum, count) => sum + count, 0);
    const failures = this.#failures.reduce((sum, count) => sum + count, 0);
    if (requests >= volume && failures / requests >= errorShare) this.#openUntil = now + trippedMs;
  }
}

export class CircuitBreakers implements Breakers {
  readonly #now: () => number;
  /** By endpoint, then name; the one that was asked last at the end. */
  readonly #owners = new Map<string, Map<string, Breaker>>();
  #size = 0;

  /** @param now milliseconds of a clock that is never set back, above 0 */
  constructor(now: () => number) {
    this.#now = now;
  }

  enter(endpointId: string, limit: BreakerLimit): BreakerPass | null {
    const breaker = this.#breaker(endpointId, limit);
    const kind = breaker.enter(this.#now());
    if (kind === null) return null;
    return { leave: (verdict) => breaker.leave(kind, verdict, this.#now()) };
  }

  #breaker(endpointId: string, limit: BreakerLimit): Breaker {
    const owner = this.#owners.get(endpointId) ?? new Map<string, Breaker>();
    const known = owner.get(limit.name);
    const breaker = known ?? new Breaker(limit);
    this.#owners.delete(endpointId);
    this.#owners.set(endpointId, owner);
    owner.delete(limit.name);
    owner.set(limit.name, breaker);
    if (known === undefined) {
      this.#size++;
      this.#makeRoom(owner);
    }
    return breaker;
  }

  #makeRoom(owner: Map<string, Breaker>): void {
    if (owner.size > MOST_OF_ONE) this.#forgetFirst(owner);
    for (const [id, oldest] of this.#owners) {
      if (this.#size <= MOST) return;
      if (oldest === owner) continue;
      this.#size -= oldest.size;
      this.#owners.delete(id);
    }
  }

  #forgetFirst(owner: Map<string, Breaker>): void {
    const [first] = owner.keys();
    if (first !== undefined && owner.delete(first)) this.#size--;
  }
}
