import type { Page, PageQuery } from '@postern/control';
import { compileFilter } from '../filter/compile.ts';
import type { FilterFields } from '../filter/values.ts';
import type { Query } from '../pipeline/query.ts';
import type { WireObject } from '../wire/values.ts';
import { ok, type Answer, type Call } from './operation.ts';

export interface Listing<View> {
  readonly path: string;
  /** The member of the answer that holds the rows. */
  readonly listKey: string;
  readonly filter: FilterFields | null;
  readonly source: (query: PageQuery) => Promise<Page<View>>;
  readonly render: (view: View) => WireObject & { readonly id: string };
  /** The same, each member made when it is read. */
  readonly lazily: (view: View) => WireObject;
}

interface Rows {
  readonly rows: readonly WireObject[];
  /** The id that the next page starts before; null = this was the last page. */
  readonly before: string | null;
}

/** Rows that a scan looks at before it gives other work a turn: about half a millisecond. */
const SCAN_PAGE = 250;

/** One page in the published envelope: rows, `uri`, and `next_page_uri` only when that page will have rows. */
export async function listPage<View>(call: Call, listing: Listing<View>): Promise<Answer> {
  const { query } = call;
  const { rows, before } =
    query.filter === '' || listing.filter === null
      ? await plainPage(query, listing)
      : await filteredPage(call, listing, listing.filter);
  const uri = call.urls.at(listing.path);
  const next = before === null ? null : `${uri}?${[`before_id=${before}`, ...query.kept].join('&')}`;
  return ok({ [listing.listKey]: rows, uri, next_page_uri: next });
}

async function plainPage<View>(query: Query, listing: Listing<View>): Promise<Rows> {
  const page = await listing.source({ limit: query.limit, ...startingAt(query.beforeId) });
  const rows = page.items.map((view) => listing.render(view));
  return { rows, before: page.more ? (rows.at(-1)?.id ?? null) : null };
}

/** Scans on until the page is full and one more match is known, so that no page is short and none is empty. */
async function filteredPage<View>(call: Call, listing: Listing<View>, fields: FilterFields): Promise<Rows> {
  const { limit } = call.query;
  const matches = compileFilter(call.query.filter, fields);
  const rows: (WireObject & { readonly id: string })[] = [];
  let before = call.query.beforeId;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop
    await call.turns.next();
    // Each page starts where the one before it ended.
    // oxlint-disable-next-line no-await-in-loop
    const page = await listing.source({ limit: SCAN_PAGE, ...startingAt(before) });
    for (const view of page.items) {
      const row = listing.lazily(view);
      before = String(row['id']);
      if (!matches(row, call.now)) continue;
      if (rows.length === limit) return { rows, before: rows.at(-1)?.id ?? null };
      rows.push(listing.render(view));
    }
    if (!page.more || page.items.length === 0) return { rows, before: null };
  }
}

function startingAt(beforeId: string): { readonly beforeId?: string } {
  return beforeId === '' ? {} : { beforeId };
}
