/** The first try after a loss is quick: a restarted server is back within milliseconds. */
const FIRST = 50;
const BASE = 500;
/** Where nobody answers, asking costs nobody anything: a network that is back is found within a second. */
const MOST_UNHEARD = 1000;
/** So many attempts long, about three minutes; whoever is away for longer is in no hurry. */
const HURRIED = 180;
const MOST = 30_000;
/** Share of a delay that is random, so that a thousand agents do not come back in the same instant. */
const JITTER = 0.3;

/**
 * Delays between attempts: 50 ms, then 0.5 s doubling, to 30 s where a server refused, to 1 s (later 30 s, too) where
 * nobody answered. Each is up to 30 % shorter.
 */
export class Backoff {
  readonly #random: () => number;
  #attempt = 0;
  #doubled = BASE;

  /** @param random in [0, 1) */
  constructor(random: () => number) {
    this.#random = random;
  }

  /**
   * Milliseconds to wait before the next attempt.
   * @param heard a server was there, and said no
   */
  next(heard: boolean): number {
    const attempt = this.#attempt++;
    if (attempt === 0) return this.#jittered(FIRST);
    const most = heard || attempt > HURRIED ? MOST : MOST_UNHEARD;
    const full = Math.min(most, this.#doubled);
    this.#doubled = Math.min(most, full * 2);
    return this.#jittered(full);
  }

  /** Before another address of the same server. */
  quick(): number {
    return this.#jittered(FIRST);
  }

  reset(): void {
    this.#attempt = 0;
    this.#doubled = BASE;
  }

  #jittered(full: number): number {
    return Math.round(full * (1 - JITTER * this.#random()));
  }
}
