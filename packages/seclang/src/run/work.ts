/** What judging one message may cost: units of about ten nanoseconds of one core, as the traffic policies count. */

/** Judging would have cost more than one message may. */
export class Exhausted extends Error {}

export class Work {
  #left: number;
  /** Milliseconds, monotonic. */
  readonly #clock: () => number;

  constructor(units: number, clock: () => number) {
    this.#left = units;
    this.#clock = clock;
  }

  get left(): number {
    return Math.max(this.#left, 0);
  }

  /** @throws Exhausted */
  spend(units: number): void {
    this.#left -= units;
    if (this.#left < 0) throw new Exhausted('judging this message takes too long');
  }

  /** Pays what work has really taken. @throws Exhausted */
  measure<T>(work: () => T): T {
    const start = this.#clock();
    const result = work();
    this.spend(10 + (this.#clock() - start) * 100_000);
    return result;
  }
}
