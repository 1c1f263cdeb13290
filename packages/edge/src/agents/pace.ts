/**
 * How fast somebody may ask: `burst` at once, then `perSecond`. Who comes faster waits for a turn, in order, and is
 * refused only when the turn would be too far away: official agents take a refused bind for the failure of their whole
 * reconnect (agent-protocol.md §4.2), and a wait for nothing special.
 */
export interface PaceLimits {
  readonly burst: number;
  readonly perSecond: number;
  /** Longest wait. */
  readonly waitMs: number;
}

export class Pace {
  readonly #limits: PaceLimits;
  readonly #now: () => number;
  /** When a bucket that was never used would have been full: the further in the past, the more may come at once. */
  #next = -Infinity;

  /** @param now milliseconds that never go back */
  constructor(limits: PaceLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Takes a turn. @returns milliseconds until it comes; null = none is given */
  take(): number | null {
    const { burst, perSecond, waitMs } = this.#limits;
    const step = 1_000 / perSecond;
    const now = this.#now();
    const start = Math.max(this.#next, now - burst * step);
    const wait = start + step - now;
    if (wait > waitMs) return null;
    this.#next = start + step;
    return Math.max(0, wait);
  }

  /** Nobody has asked for so long that forgetting changes nothing. */
  get rested(): boolean {
    const { burst, perSecond } = this.#limits;
    return this.#next <= this.#now() - (burst * 1_000) / perSecond;
  }
}

/** Binds of all agents of an account: each is a transaction, a route, perhaps a certificate. */
const BINDS: PaceLimits = { burst: 500, perSecond: 50, waitMs: 10_000 };

/** Of this edge, or of all edges of its node. */
export interface BindTurns {
  /** As {@link Pace.take}. */
  take(account: string): number | null | Promise<number | null>;
}

export class BindPaces implements BindTurns {
  readonly #now: () => number;
  readonly #paces = new Map<string, Pace>();

  /** @param now milliseconds that never go back */
  constructor(now: () => number) {
    this.#now = now;
  }

  take(account: string): number | null {
    let pace = this.#paces.get(account);
    if (pace === undefined) {
      for (const [key, one] of this.#paces) if (one.rested) this.#paces.delete(key);
      this.#paces.set(account, (pace = new Pace(BINDS, this.#now)));
    }
    return pace.take();
  }
}
