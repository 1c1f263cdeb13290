/** Does once what several ask for at the same time, and remembers for a while what came of it, where that is worth it. */
import { makeRoom } from './make-room.ts';

interface Doing {
  readonly result: Promise<unknown>;
  /** When it may be forgotten; Infinity while it is under way. */
  until: number;
}

export class Once {
  readonly #now: () => number;
  readonly #most: number;
  readonly #doings = new Map<string, Doing>();

  /** @param now milliseconds of a clock that is never set back @param most that are under way or remembered */
  constructor(now: () => number, most: number) {
    this.#now = now;
    this.#most = most;
  }

  /** @param keptMs how long a result is for those who ask later, too; 0 = it is not */
  do<T>(key: string, work: () => Promise<T>, keptMs: (result: T) => number): Promise<T> {
    const known = this.#doings.get(key);
    // It is of the same key, and so of the same work.
    // oxlint-disable-next-line no-unsafe-type-assertion
    if (known !== undefined && known.until > this.#now()) return known.result as Promise<T>;
    this.#doings.delete(key);
    makeRoom(this.#doings, this.#most, ({ until }) => until <= this.#now());
    const result = work();
    const doing: Doing = { result, until: Infinity };
    this.#doings.set(key, doing);
    void this.#settle(key, doing, result, keptMs);
    return result;
  }

  async #settle<T>(key: string, doing: Doing, result: Promise<T>, keptMs: (result: T) => number): Promise<void> {
    let kept = 0;
    try {
      kept = keptMs(await result);
    } catch {
      // Whoever asked is told.
    }
    if (kept > 0) doing.until = this.#now() + kept;
    else if (this.#doings.get(key) === doing) this.#doings.delete(key);
  }
}
