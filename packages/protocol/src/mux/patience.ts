/**
 * How many frames without use (empty, for unknown streams, opened and reset at once) a peer may send more than useful
 * ones pass in either direction. Each useful frame earns one back, so the races of normal traffic never add up, while a
 * flood ends its own session. Needs no clock.
 */
export class Patience {
  readonly #most: number;
  #left: number;

  constructor(most: number) {
    this.#most = most;
    this.#left = most;
  }

  useful(): void {
    if (this.#left < this.#most) this.#left += 1;
  }

  /** @returns false when it has come to an end */
  useless(cost: number): boolean {
    this.#left -= cost;
    return this.#left >= 0;
  }
}
