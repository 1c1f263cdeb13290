import type { Row } from '@postern/store';
import type { Page, PageQuery } from '../types.ts';

/** `rows` are newest first and one longer than the page when more follow. */
export function pageOf<R, View>(rows: readonly R[], limit: number, view: (row: R) => View): Page<View> {
  return { items: rows.slice(0, limit).map(view), more: rows.length > limit };
}

/** Newest first, below `beforeId`, one more than the page holds. */
export function selectPage<R extends { readonly id: string }>(rows: readonly R[], query: PageQuery): R[] {
  const { beforeId, limit } = query;
  return rows
    .filter((row) => beforeId === undefined || row.id < beforeId)
    .toSorted((a, b) => (a.id < b.id ? 1 : -1))
    .slice(0, limit + 1);
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
