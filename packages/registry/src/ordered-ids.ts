/** Ids in ascending order. Ids grow with time, so adding one is mostly an append. */
export class OrderedIds {
  readonly #ids: string[] = [];

  get size(): number {
    return this.#ids.length;
  }

  /** Smallest first. */
  get all(): readonly string[] {
    return this.#ids;
  }

  /** Does nothing when it is there already. */
  add(id: string): void {
    const last = this.#ids.at(-1);
    if (last === undefined || last < id) {
      this.#ids.push(id);
      return;
    }
    const at = this.#firstFrom(id);
    if (this.#ids[at] !== id) this.#ids.splice(at, 0, id);
  }

  remove(id: string): void {
    const at = this.#firstFrom(id);
    if (this.#ids[at] === id) this.#ids.splice(at, 1);
  }

  /** Largest first, at most `limit`, below `beforeId` only ('' = from the largest on); it need not be there itself. */
  before(beforeId: string, limit: number): string[] {
    const end = beforeId === '' ? this.#ids.length : this.#firstFrom(beforeId);
    return this.#ids.slice(Math.max(0, end - limit), end).toReversed();
  }

  /** Index of the first that is not below `id`. */
  #firstFrom(id: string): number {
    let low = 0;
    let high = this.#ids.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ids[middle] ?? '') < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
