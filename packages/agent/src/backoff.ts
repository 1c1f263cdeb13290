/** The first try after a loss is quick: a restarted server is back within milliseconds. */
const FIRST = 50;
const BASE = 500;
const MOST = 30_000;
/** Share of a delay that is random, so that a thousand agents do not come back in the same instant. */
const JITTER = 0.3;

/** Delays between attempts: 50 ms, then 0.5 s doubling to 30 s, each up to 30 % shorter. */
export class Backoff {
  readonly #random: () => number;
  #attempt = 0;

  /** @param random in [0, 1) */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Milliseconds to wait before the next attempt. */
  next(): number {
    const full = this.#attempt === 0 ? FIRST : Math.min(MOST, BASE * 2 ** (this.#attempt - 1));
    this.#attempt += 1;
    return Math.round(full * (1 - JITTER * this.#random()));
  }

  reset(): void {
    this.#attempt = 0;
  }
}
