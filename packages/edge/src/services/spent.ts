/** What may be used once, and has been: for as long as it could be used again, and as much as there is room for. */
import { makeRoom } from './make-room.ts';

const MOST_SPENT = 50_000;

export class SpentOnce {
  readonly #now: () => number;
  /** Until when it matters; the one that was spent last at the end. */
  readonly #spent = new Map<string, number>();

  /** @param now milliseconds of a clock that is never set back */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** @param forMs how long it could be used @returns whether it was not spent before */
  spend(key: string, forMs: number): boolean {
    if (this.#spent.has(key)) return false;
    const now = this.#now();
    makeRoom(this.#spent, MOST_SPENT, (until) => until <= now);
    this.#spent.set(key, now + forMs);
    return true;
  }
}
