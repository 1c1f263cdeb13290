/** Frames without use that a peer may be ahead by; agents are opened many streams and reset many, servers few. */
export const PATIENCE = { server: 10_000, client: 100_000 } as const;
/** Frames without use that pass in each second of a session with a clock, whatever else it carries. */
const PER_SECOND = 200;

/**
 * How many frames without use (empty, for unknown streams, opened and reset at once) a peer may send more than useful
 * ones pass in either direction. Each useful frame earns one back, and so does time where there is a clock: what tells
 * a flood from work is waste beside use over time. The races of normal traffic never add up, also over weeks, while a
 * flood ends its own session.
 */
export class Patience {
  readonly #most: number;
  readonly #now: (() => number) | undefined;
  #left: number;
  #since: number;

  /** @param now monotonic milliseconds */
  constructor(most: number, now?: () => number) {
    this.#most = most;
    this.#now = now;
    this.#left = most;
    this.#since = now?.() ?? 0;
  }

  useful(frames = 1): void {
    this.#left = Math.min(this.#most, this.#left + frames);
  }

  /** @returns false when it has come to an end */
  useless(cost: number): boolean {
    this.#left -= cost;
    // The clock is read when it could matter, not with each frame.
    if (this.#left < 0) this.#rest();
    return this.#left >= 0;
  }

  #rest(): void {
    if (this.#now === undefined) return;
    const now = this.#now();
    const earned = Math.floor(((now - this.#since) * PER_SECOND) / 1_000);
    if (earned <= 0) return;
    this.#since = now;
    this.#left = Math.min(this.#most, this.#left + earned);
  }
}
