import type { Row } from '@postern/store';
import type { Page, PageQuery } from '../types.ts';

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

/** What a repository needs for one page. */
export function listQuery(
  accountId: string,
  query: PageQuery,
): { accountId: string; beforeId?: string; limit: number } {
  const limit = query.limit + 1;
  return query.beforeId === undefined ? { accountId, limit } : { accountId, beforeId: query.beforeId, limit };
}

/** A row of another account does not exist for this one. */
export function ownedBy<R extends Row>(row: R | null, accountId: string): R | null {
  return row?.accountId === accountId ? row : null;
}
