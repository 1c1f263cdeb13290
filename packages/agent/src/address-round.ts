/** The addresses of one server, of which one is dialled at a time: the next when it fails, the same again when it worked. */
export class AddressRound {
  readonly #all: readonly string[];
  #at: number;
  #failed = 0;

  /** @param first where to begin, so that two sessions begin with two addresses */
  constructor(all: readonly string[], first: number) {
    this.#all = all;
    this.#at = first % all.length;
  }

  /** Whether one is left that has not failed in this round. */
  get hasOther(): boolean {
    return this.#failed + 1 < this.#all.length;
  }

  /** @param taken addresses of other sessions, which are chosen only where there is no other */
  pick(taken: ReadonlySet<string>): string {
    for (let step = 0; step < this.#all.length; step += 1) {
      const at = (this.#at + step) % this.#all.length;
      const address = this.#all[at] ?? '';
      if (taken.has(address)) continue;
      this.#at = at;
      return address;
    }
    return this.#all[this.#at] ?? '';
  }

  /** @returns whether all of them have failed now, and another round begins */
  failed(): boolean {
    this.#at = (this.#at + 1) % this.#all.length;
    this.#failed = (this.#failed + 1) % this.#all.length;
    return this.#failed === 0;
  }

  worked(): void {
    this.#failed = 0;
  }
}
