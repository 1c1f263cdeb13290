import type { Challenge } from '@postern/link';

/** What authorities are answered now: all of it is told to the edges whenever some of it changes, changes in a moment together. */
export class Board {
  readonly #present: (challenges: readonly Challenge[]) => Promise<void>;
  readonly #challenges = new Set<Challenge>();
  #telling: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  constructor(present: (challenges: readonly Challenge[]) => Promise<void>) {
    this.#present = present;
  }

  /** Resolves when every edge answers it. */
  add(challenge: Challenge): Promise<void> {
    this.#challenges.add(challenge);
    return this.#tell();
  }

  remove(challenge: Challenge): Promise<void> {
    this.#challenges.delete(challenge);
    return this.#tell();
  }

  /** One after the other; who comes while one is told goes with the next. */
  #tell(): Promise<void> {
    this.#next ??= this.#after(this.#telling);
    return this.#next;
  }

  async #after(before: Promise<void> | null): Promise<void> {
    await before?.catch(() => undefined);
    const told = this.#present([...this.#challenges]);
    this.#telling = told;
    this.#next = null;
    await told;
  }
}
