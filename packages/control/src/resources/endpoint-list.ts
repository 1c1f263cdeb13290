import { canonicalUrl, parseEndpointUrl } from '../addresses/urls.ts';
import type { Core } from '../core.ts';
import type { EndpointQuery, EndpointView, Page } from '../types.ts';
import { agentView, cloudView, edgeEndpointView } from './endpoint-views.ts';
import { mergePage, type OrderedSource } from './paging.ts';

type Row = { readonly id: string; readonly view: () => EndpointView | null };

/** Rows that are looked at before other work gets a turn: about half a millisecond. */
const ROWS_PER_TURN = 250;

/**
 * Endpoints of all three types, newest first. Each place gives its rows in order from where the page begins, so a page
 * costs what it holds, however many there are; a row that stays is in it, whatever comes and goes beside it.
 */
export async function listEndpoints(core: Core, accountId: string, query: EndpointQuery): Promise<Page<EndpointView>> {
  const { ids, limit, beforeId = '' } = query;
  const urls = query.urls === undefined ? null : wantedUrls(query.urls);
  if (ids !== undefined) return viewPage(matching(await byId(core, accountId, ids, beforeId), urls), limit);
  const sources = sourcesOf(core, accountId);
  if (urls === null) return viewPage(await mergePage(sources, beforeId, limit + 1), limit);
  const found: Row[] = [];
  for (let from = beforeId; ;) {
    // oxlint-disable-next-line no-await-in-loop
    await core.turns.next();
    // Each look begins where the one before it ended.
    // oxlint-disable-next-line no-await-in-loop
    const rows = await mergePage(sources, from, ROWS_PER_TURN);
    found.push(...matching(rows, urls));
    const last = rows.at(-1);
    if (last === undefined || rows.length < ROWS_PER_TURN || found.length > limit) return viewPage(found, limit);
    from = last.id;
  }
}

/** One endpoint of any type; null = none of this account. */
export async function findEndpointRow(core: Core, accountId: string, id: string): Promise<Row | null> {
  const { catalog, registry } = core;
  const cloud = catalog.endpoints.owned(accountId, id);
  if (cloud !== null) return { id, view: () => cloudView(core, cloud) };
  const tunnel = await registry.getTunnel(id.replace(/^ep_/, 'tn_'));
  if (tunnel?.endpoint?.id === id && tunnel.accountId === accountId) return { id, view: () => agentView(core, tunnel) };
  const edge = catalog.edgeEndpoints.get(id);
  if (edge === null || edge.edge.accountId !== accountId) return null;
  return { id, view: () => edgeEndpointView(core, edge.edge, edge.entry) };
}

function sourcesOf(core: Core, accountId: string): readonly OrderedSource<Row>[] {
  const { catalog, registry } = core;
  return [
    async (beforeId, limit) =>
      catalog.endpoints
        .list(accountId, beforeId, limit)
        .map((row) => ({ id: row.id, view: () => cloudView(core, row) })),
    async (beforeId, limit) => agentRows(core, accountId, beforeId, limit, registry.tunnelsBefore.bind(registry)),
    async (beforeId, limit) =>
      catalog.edgeEndpoints
        .list(accountId, beforeId, limit)
        .map(({ id, edge, entry }) => ({ id, view: () => edgeEndpointView(core, edge, entry) })),
  ];
}

/** Tunnels without an address are no endpoints: goes on until the page is full all the same. */
async function agentRows(
  core: Core,
  accountId: string,
  beforeId: string,
  limit: number,
  tunnelsBefore: Core['registry']['tunnelsBefore'],
): Promise<Row[]> {
  const rows: Row[] = [];
  // A tunnel and its endpoint have one suffix, so they have one order.
  for (let from = beforeId.replace(/^ep_/, 'tn_'); ;) {
    // oxlint-disable-next-line no-await-in-loop
    const tunnels = await tunnelsBefore(accountId, { beforeId: from, limit });
    for (const tunnel of tunnels) {
      const { endpoint } = tunnel;
      if (endpoint !== null) rows.push({ id: endpoint.id, view: () => agentView(core, tunnel) });
    }
    const last = tunnels.at(-1);
    if (last === undefined || tunnels.length < limit || rows.length >= limit) return rows.slice(0, limit);
    from = last.id;
  }
}

async function byId(core: Core, accountId: string, ids: readonly string[], beforeId: string): Promise<Row[]> {
  const wanted = [...new Set(ids)].filter((id) => beforeId === '' || id < beforeId);
  const rows = await Promise.all(wanted.map((id) => findEndpointRow(core, accountId, id)));
  return rows.filter((row) => row !== null).toSorted((a, b) => (a.id < b.id ? 1 : -1));
}

function matching(rows: readonly Row[], urls: WantedUrls | null): Row[] {
  if (urls === null) return [...rows];
  return rows.flatMap(({ id, view }) => {
    const seen = view();
    return seen !== null && isWanted(seen, urls) ? [{ id, view: () => seen }] : [];
  });
}

interface WantedUrls {
  readonly asWritten: ReadonlySet<string>;
  readonly canonical: ReadonlySet<string>;
  readonly hosts: ReadonlySet<string>;
}

function wantedUrls(urls: readonly string[]): WantedUrls {
  const canonical = urls.map(canonicalUrl).filter((url) => url !== null);
  const hosts = canonical.flatMap((url) => {
    const parsed = parseEndpointUrl(url);
    return parsed.ok ? [parsed.value.host] : [];
  });
  return { asWritten: new Set(urls), canonical: new Set(canonical), hosts: new Set(hosts) };
}

/** As written, as visitors open it, or any other way to write the same. */
function isWanted({ url, publicUrl, host }: EndpointView, { asWritten, canonical, hosts }: WantedUrls): boolean {
  if (asWritten.has(url) || asWritten.has(publicUrl)) return true;
  // Many rows are asked, and reading a URL costs more than looking at a host.
  if (!hosts.has(host)) return false;
  return canonical.has(canonicalUrl(url) ?? '') || canonical.has(publicUrl);
}

function viewPage(rows: readonly Row[], limit: number): Page<EndpointView> {
  const items = rows.slice(0, limit).map(({ view }) => view());
  return { items: items.filter((view) => view !== null), more: rows.length > limit };
}
