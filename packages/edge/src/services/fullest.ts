/** Things by how much they hold: which has the most is known at once, as sizes change by one. */
export class Fullest<T> {
  readonly #bySize = new Map<number, Set<T>>();
  #most = 0;

  /** One of those that hold most. */
  get(): T | undefined {
    const [one] = this.#bySize.get(this.#most) ?? [];
    return one;
  }

  /** 0 = not there. */
  resize(thing: T, from: number, to: number): void {
    const before = this.#bySize.get(from);
    before?.delete(thing);
    if (before?.size === 0) this.#bySize.delete(from);
    if (to > 0) {
      const after = this.#bySize.get(to);
      if (after === undefined) this.#bySize.set(to, new Set([thing]));
      else after.add(thing);
    }
    this.#most = Math.max(this.#most, to);
    while (this.#most > 0 && !this.#bySize.has(this.#most)) this.#most--;
  }
}
