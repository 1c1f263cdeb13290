import { OrderedIds } from '@postern/registry';
import type { Row } from '@postern/store';

/**
 * The rows of one table in memory, found by id, by account (newest first) and by the keys that `keysOf` gives. Claims
 * and routes are decided on every bind, so they must not cost a query each.
 */
export class Mirror<R extends Row> {
  readonly #rows = new Map<string, R>();
  readonly #byKey = new Map<string, Set<string>>();
  readonly #byAccount = new Map<string, OrderedIds>();
  readonly #keysOf: (row: R) => readonly string[];
  readonly #onChange: (before: R | null, after: R | null) => void;

  /** @param onChange told of each row that comes, changes or goes; both null = all are gone */
  constructor(
    keysOf: (row: R) => readonly string[] = () => [],
    onChange: (before: R | null, after: R | null) => void = () => {},
  ) {
    this.#keysOf = keysOf;
    this.#onChange = onChange;
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
    return this.#resolve(this.#byAccount.get(accountId)?.before(beforeId, limit) ?? []);
  }

  count(accountId: string): number {
    return this.#byAccount.get(accountId)?.size ?? 0;
  }

  put(row: R): void {
    const before = this.#rows.get(row.id);
    if (before !== undefined) this.#unindex(before);
    else this.#insertId(row);
    this.#rows.set(row.id, row);
    this.#onChange(before ?? null, row);
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
    this.#onChange(row, null);
    this.#unindex(row);
    const ids = this.#byAccount.get(row.accountId);
    ids?.remove(id);
    if (ids?.size === 0) this.#byAccount.delete(row.accountId);
  }

  clear(): void {
    this.#onChange(null, null);
    this.#rows.clear();
    this.#byKey.clear();
    this.#byAccount.clear();
  }

  #insertId(row: R): void {
    const ids = this.#byAccount.get(row.accountId) ?? new OrderedIds();
    ids.add(row.id);
    this.#byAccount.set(row.accountId, ids);
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
