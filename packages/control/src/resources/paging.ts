import type { Repository, Row } from '@postern/store';
import type { Page } from '../types.ts';

/** `rows` are newest first and one longer than the page when more follow. */
export function pageOf<R, View>(rows: readonly R[], limit: number, view: (row: R) => View): Page<View> {
  return { items: rows.slice(0, limit).map(view), more: rows.length > limit };
}

/** Rows newest (largest id) first, at most `limit`, below `beforeId` only ('' = from the newest on). */
export type OrderedSource<R> = (beforeId: string, limit: number) => Promise<readonly R[]>;

/** One page of several sources that have an order each, and share one. */
export async function mergePage<R extends { readonly id: string }>(
  sources: readonly OrderedSource<R>[],
  beforeId: string,
  limit: number,
): Promise<R[]> {
  const heads = await Promise.all(sources.map(async (source) => ({ rows: await source(beforeId, limit), at: 0 })));
  const merged: R[] = [];
  while (merged.length < limit) {
    let first: { readonly row: R; readonly head: { at: number } } | null = null;
    for (const head of heads) {
      const row = head.rows[head.at];
      if (row !== undefined && (first === null || row.id > first.row.id)) first = { row, head };
    }
    if (first === null) break;
    first.head.at += 1;
    merged.push(first.row);
  }
  return merged;
}

/** Rows of accounts, newest first: a mirror of the catalog, or the store by {@link storedRows}. */
export interface Rows<R> {
  /** A row of another account does not exist for this one. */
  owned(accountId: string, id: string): R | null | Promise<R | null>;
  list(accountId: string, beforeId: string | undefined, limit: number): readonly R[] | Promise<readonly R[]>;
}

export function storedRows<R extends Row>(table: Repository<R>): Rows<R> {
  return {
    async owned(accountId, id) {
      const row = await table.get(id);
      return row?.accountId === accountId ? row : null;
    },
    list: (accountId, beforeId, limit) =>
      table.list(beforeId === undefined ? { accountId, limit } : { accountId, beforeId, limit }),
  };
}
