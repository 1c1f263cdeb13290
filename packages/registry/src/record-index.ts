/** Records under keys, many to one. An empty key costs nothing. */
export class RecordIndex<R extends { readonly id: string }> {
  readonly #groups = new Map<string, Map<string, R>>();

  add(key: string, record: R): void {
    let group = this.#groups.get(key);
    if (group === undefined) this.#groups.set(key, (group = new Map()));
    group.set(record.id, record);
  }

  remove(key: string, id: string): void {
    const group = this.#groups.get(key);
    if (group?.delete(id) === true && group.size === 0) this.#groups.delete(key);
  }

  count(key: string): number {
    return this.#groups.get(key)?.size ?? 0;
  }

  /** Oldest (smallest id) first. */
  all(key: string): R[] {
    const group = this.#groups.get(key);
    if (group === undefined) return [];
    return [...group.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** The one with the largest id. */
  newest(key: string): R | null {
    let newest: R | null = null;
    for (const record of this.#groups.get(key)?.values() ?? []) {
      if (newest === null || record.id > newest.id) newest = record;
    }
    return newest;
  }
}
