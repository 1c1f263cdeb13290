import { OrderedIds } from './ordered-ids.ts';

interface Group<R> {
  readonly records: Map<string, R>;
  readonly ids: OrderedIds;
}

/** Records under keys, many to one, in the order of their ids. An empty key costs nothing. */
export class RecordIndex<R extends { readonly id: string }> {
  readonly #groups = new Map<string, Group<R>>();

  add(key: string, record: R): void {
    let group = this.#groups.get(key);
    if (group === undefined) this.#groups.set(key, (group = { records: new Map(), ids: new OrderedIds() }));
    group.records.set(record.id, record);
    group.ids.add(record.id);
  }

  remove(key: string, id: string): void {
    const group = this.#groups.get(key);
    if (group?.records.delete(id) !== true) return;
    group.ids.remove(id);
    if (group.ids.size === 0) this.#groups.delete(key);
  }

  count(key: string): number {
    return this.#groups.get(key)?.ids.size ?? 0;
  }

  /** Oldest (smallest id) first. */
  all(key: string): R[] {
    const group = this.#groups.get(key);
    return group === undefined ? [] : recordsOf(group, group.ids.all);
  }

  /** Newest (largest id) first, at most `limit`, below `beforeId` only ('' = from the newest on). */
  before(key: string, beforeId: string, limit: number): R[] {
    const group = this.#groups.get(key);
    return group === undefined ? [] : recordsOf(group, group.ids.before(beforeId, limit));
  }

  /** The one with the largest id. */
  newest(key: string): R | null {
    return this.before(key, '', 1)[0] ?? null;
  }
}

function recordsOf<R>({ records }: Group<R>, ids: readonly string[]): R[] {
  return ids.flatMap((id) => records.get(id) ?? []);
}
