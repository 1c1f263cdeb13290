/** What a change touches, as it is before and after; and what follows from the two for routes and reservations. */
import type { TunnelRecord } from '@postern/registry';
import type { EdgeRow, TableName, Tables, Write } from '@postern/store';
import { hostportAddress } from '../addresses/hostports.ts';
import type { Core } from '../core.ts';
import type { RouteChange } from '../edges/edge-set.ts';
import { edgesReaching, routesOfEdges } from '../labelled.ts';
import { findFooting, isProblem } from '../reservations.ts';
import { routeOfAgent, routeOfCloud } from '../routes.ts';
import { type Footed, reservationsOf } from './release.ts';
import type { Change } from './value.ts';

/** Everything that a change names, at one moment; what is not there is left out. */
export interface Seen {
  readonly rows: { readonly [T in TableName]: ReadonlyMap<string, Tables[T]> };
  readonly tunnels: ReadonlyMap<string, TunnelRecord>;
  /** Edges whose routes it changes. */
  readonly edges: readonly EdgeRow[];
}

type Looked = Pick<Change, 'writes' | 'registry'>;

export function idOf(write: Write): string {
  return write.op === 'insert' ? write.row.id : write.id;
}

export async function look(core: Core, change: Looked): Promise<Seen> {
  const tunnels = await tunnelsIn(core, change);
  const idsIn = (table: TableName): string[] => [
    ...new Set(change.writes.filter((write) => write.table === table).map(idOf)),
  ];
  const rowsIn = <T extends TableName>(table: T): ReadonlyMap<string, Tables[T]> => {
    const found = new Map<string, Tables[T]>();
    for (const id of idsIn(table)) {
      const row = core.catalog.row(table, id);
      if (row !== null) found.set(id, row);
    }
    return found;
  };
  const rows: Seen['rows'] = {
    endpoints: rowsIn('endpoints'),
    edges: rowsIn('edges'),
    edgeRoutes: rowsIn('edgeRoutes'),
    tunnelGroupBackends: rowsIn('tunnelGroupBackends'),
    reservedDomains: rowsIn('reservedDomains'),
    reservedAddrs: rowsIn('reservedAddrs'),
    botUsers: rowsIn('botUsers'),
    credentials: rowsIn('credentials'),
    apiKeys: rowsIn('apiKeys'),
  };
  const edges = new Map(edgesReaching(core, [...tunnels.values()]).map((edge) => [edge.id, edge]));
  for (const edge of rows.edges.values()) edges.set(edge.id, edge);
  for (const { edgeId } of rows.edgeRoutes.values()) {
    const edge = core.catalog.edges.get(edgeId);
    if (edge !== null) edges.set(edgeId, edge);
  }
  for (const id of idsIn('tunnelGroupBackends')) {
    for (const edge of core.catalog.edgesUsing(id)) edges.set(edge.id, edge);
  }
  return { rows, tunnels, edges: [...edges.values()] };
}

/** What edges have to take and to forget. Call it when the change holds: routes are made of what is there now. */
export async function routesBetween(core: Core, before: Seen, after: Seen): Promise<RouteChange> {
  const ids = new Set([...before.edges, ...after.edges].map(({ id }) => id));
  const edges = [...ids].flatMap((id) => core.catalog.edges.get(id) ?? []);
  const upserts = [
    ...[...after.rows.endpoints.values()].map((row) => routeOfCloud(row, core.config)),
    ...[...after.tunnels.values()].flatMap((tunnel) => routeOfAgent(tunnel) ?? []),
    ...(await routesOfEdges(core, edges)),
  ];
  const there = new Set(upserts.map(({ id }) => id));
  return { upserts, removes: routedIds(before).filter((id) => !there.has(id)) };
}

/** Reservations that what is seen rests on. */
export function reservationsUnder(core: Core, { rows, tunnels }: Seen): string[] {
  const footed: (Footed | null)[] = [
    ...rows.endpoints.values(),
    ...[...tunnels.values()].map(({ endpoint }) => endpoint),
  ];
  for (const edge of rows.edges.values()) {
    for (const { hostport } of edge.hostports) {
      const address = hostportAddress(edge.kind, hostport);
      const footing = address === null ? null : findFooting(core, edge.accountId, address);
      if (footing !== null && !isProblem(footing)) footed.push(footing);
    }
  }
  return reservationsOf(footed);
}

async function tunnelsIn(core: Core, { registry }: Looked): Promise<Map<string, TunnelRecord>> {
  const found = new Map<string, TunnelRecord>();
  for (const step of registry) {
    if (step.op === 'end') {
      for (const tunnel of await core.registry.tunnelsOfSession(step.sessionId)) found.set(tunnel.id, tunnel);
      continue;
    }
    const tunnel = await core.registry.getTunnel(step.op === 'put' ? step.tunnel.id : step.id);
    if (tunnel !== null) found.set(tunnel.id, tunnel);
  }
  return found;
}

function routedIds({ rows, tunnels, edges }: Seen): string[] {
  return [
    ...rows.endpoints.keys(),
    ...[...tunnels.values()].flatMap(({ endpoint }) => endpoint?.id ?? []),
    ...edges.flatMap(({ hostports }) => hostports.map(({ endpointId }) => endpointId)),
  ];
}
