import type { Row } from '@postern/store';

/**
 * The rows of one table in memory, found by id, by account (newest first) and by the keys that `keysOf` gives. Claims
 * and routes are decided on every bind, so they must not cost a query each.
 */
export class Mirror<R extends Row> {
  readonly #rows = new Map<string, R>();
  readonly #byKey = new Map<string, Set<string>>();
  /** Ids in ascending order. New ids are the largest, so insertion is an append. */
  readonly #byAccount = new Map<string, string[]>();
  readonly #keysOf: (row: R) => readonly string[];

  constructor(keysOf: (row: R) => readonly string[] = () => []) {
    this.#keysOf = keysOf;
  }

  get(id: string): R | null {
    return this.#rows.get(id) ?? null;
  }

  /** The row if it belongs to the account. */
  owned(accountId: string, id: string): R | null {
    const row = this.#rows.get(id);
    return row?.accountId === accountId ? row : null;
  }

  all(): IterableIterator<R> {
    return this.#rows.values();
  }

  at(key: string): R[] {
    return this.#resolve(this.#byKey.get(key) ?? []);
  }

  /** Newest first, ids below `beforeId` only. */
  list(accountId: string, beforeId = '', limit = Infinity): R[] {
    const ids = this.#byAccount.get(accountId) ?? [];
    const end = beforeId === '' ? ids.length : lowerBound(ids, beforeId);
    return this.#resolve(ids.slice(Math.max(0, end - limit), end).toReversed());
  }

  put(row: R): void {
    const before = this.#rows.get(row.id);
    if (before !== undefined) this.#unindex(before);
    else this.#insertId(row);
    this.#rows.set(row.id, row);
    for (const key of this.#keysOf(row)) {
      const ids = this.#byKey.get(key);
      if (ids === undefined) this.#byKey.set(key, new Set([row.id]));
      else ids.add(row.id);
    }
  }

  drop(id: string): void {
    const row = this.#rows.get(id);
    if (row === undefined) return;
    this.#rows.delete(id);
    this.#unindex(row);
    const ids = this.#byAccount.get(row.accountId) ?? [];
    ids.splice(lowerBound(ids, id), 1);
    if (ids.length === 0) this.#byAccount.delete(row.accountId);
  }

  clear(): void {
    this.#rows.clear();
    this.#byKey.clear();
    this.#byAccount.clear();
  }

  #insertId(row: R): void {
    const ids = this.#byAccount.get(row.accountId);
    if (ids === undefined) this.#byAccount.set(row.accountId, [row.id]);
    else if ((ids.at(-1) ?? '') < row.id) ids.push(row.id);
    else ids.splice(lowerBound(ids, row.id), 0, row.id);
  }

  #unindex(row: R): void {
    for (const key of this.#keysOf(row)) {
      const ids = this.#byKey.get(key);
      ids?.delete(row.id);
      if (ids?.size === 0) this.#byKey.delete(key);
    }
  }

  #resolve(ids: Iterable<string>): R[] {
    const rows: R[] = [];
    for (const id of ids) {
      const row = this.#rows.get(id);
      if (row !== undefined) rows.push(row);
    }
    return rows;
  }
}

/** Index of the first element that is not below `id`. */
function lowerBound(ids: readonly string[], id: string): number {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ids[middle] ?? '') < id) low = middle + 1;
    else high = middle;
  }
  return low;
}
