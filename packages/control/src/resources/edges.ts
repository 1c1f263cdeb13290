import type { EdgeRow, Write } from '@postern/store';
import { fail } from '@postern/errors';
import { hostportAddress } from '../addresses/hostports.ts';
import type { Core } from '../core.ts';
import { giveBack, reservationsOf } from '../give-back.ts';
import { routesOfEdges } from '../labelled.ts';
import { putOnline, settle } from '../online.ts';
import { findFooting, isProblem, type Footing } from '../reservations.ts';
import type { Caller, EdgeInput, EdgeService, EdgeView } from '../types.ts';
import { backendModule, checkEdgeTexts, claimHostports, readBackend } from './edge-input.ts';
import { createEdgeRoutes, routeView } from './edge-routes.ts';
import { pageOf } from './paging.ts';

type Kind = EdgeView['kind'];

const PREFIX = { https: 'edghts', tls: 'edgtls', tcp: 'edgtcp' } as const;
const NO_BACKEND = { backendId: '', backendEnabled: false } as const;

/** Legacy edges (api.md §6): hostports that lead to labelled tunnels through tunnel-group backends. */
export function createEdges(core: Core): EdgeService {
  const { catalog, store } = core;

  function find(caller: Caller, kind: Kind, id: string): EdgeRow | null {
    const row = catalog.edges.owned(caller.accountId, id);
    return row?.kind === kind ? row : null;
  }

  function view(row: EdgeRow): EdgeView {
    const { id, kind, createdAt, description, metadata } = row;
    return {
      id,
      kind,
      createdAt,
      description,
      metadata,
      hostports: row.hostports.map(({ hostport }) => hostport),
      backend: kind === 'https' ? null : backendModule(row),
      routes: kind === 'https' ? catalog.routesOf(id).map(routeView) : [],
    };
  }

  function footingsOf(edge: EdgeRow, hostports: EdgeRow['hostports']): Footing[] {
    return hostports.flatMap(({ hostport }) => {
      const address = hostportAddress(edge.kind, hostport);
      const footing = address === null ? null : findFooting(core, edge.accountId, address);
      return footing === null || isProblem(footing) ? [] : [footing];
    });
  }

  /** What these hostports rested on, where nothing else does. After the change. */
  function giveBackOf(edge: EdgeRow, hostports: EdgeRow['hostports']): Promise<void> {
    return giveBack(core, reservationsOf(footingsOf(edge, hostports)));
  }

  async function removeRow(edge: EdgeRow): Promise<void> {
    const routes = catalog.routesOf(edge.id);
    const writes: Write[] = routes.map((route) => store.edgeRoutes.delete(route.id));
    await catalog.commit([...writes, store.edges.delete(edge.id)]);
    await giveBackOf(edge, edge.hostports);
  }

  return {
    async create(caller, kind, input) {
      const { accountId } = caller;
      checkEdgeTexts(input);
      checkModule(kind, input);
      const { row, online } = await core.claims.runAlone(async () => {
        const { hostports, writes } = await claimHostports(core, accountId, kind, input.hostports ?? [], null);
        const now = core.timestamp();
        const made: EdgeRow = {
          id: core.ids.next(PREFIX[kind]),
          accountId,
          kind,
          createdAt: now,
          updatedAt: now,
          description: input.description ?? '',
          metadata: input.metadata ?? '',
          hostports,
          ...readBackend(core, accountId, input.backend, NO_BACKEND),
        };
        await catalog.commit([...writes, store.edges.insert(made)]);
        return { row: made, online: core.edges.publish({ upserts: await routesOfEdges(core, [made]), removes: [] }) };
      });
      await putOnline(core, row.hostports.map(({ hostport }) => hostport).join(', '), online, async () => {
        await removeRow(row);
        return { upserts: [], removes: row.hostports.map(({ endpointId }) => endpointId) };
      });
      return view(row);
    },

    async get(caller, kind, id) {
      const row = find(caller, kind, id);
      return row === null ? null : view(row);
    },

    async list(caller, kind, { beforeId, limit }) {
      const rows = catalog.edges.list(caller.accountId, beforeId).filter((edge) => edge.kind === kind);
      return pageOf(rows.slice(0, limit + 1), limit, view);
    },

    async update(caller, kind, id, input) {
      checkEdgeTexts(input);
      checkModule(kind, input);
      const changed = await core.claims.runAlone(async () => {
        const before = find(caller, kind, id);
        if (before === null) return null;
        const { hostports, writes } =
          input.hostports === undefined
            ? { hostports: before.hostports, writes: [] }
            : await claimHostports(core, caller.accountId, kind, input.hostports, before);
        const gone = missingFrom(before, hostports);
        const change = {
          updatedAt: core.timestamp(),
          description: input.description ?? before.description,
          metadata: input.metadata ?? before.metadata,
          hostports,
          ...readBackend(core, caller.accountId, input.backend, before),
        };
        await catalog.commit([...writes, store.edges.update(id, change)]);
        await giveBackOf(before, gone);
        const after: EdgeRow = { ...before, ...change };
        const removes = gone.map(({ endpointId }) => endpointId);
        return { before, after, online: core.edges.publish({ upserts: await routesOfEdges(core, [after]), removes }) };
      });
      if (changed === null) return null;
      const { before, after, online } = changed;
      await putOnline(core, after.hostports.map(({ hostport }) => hostport).join(', '), online, async () => {
        if (catalog.edges.get(id) === null) return { upserts: [], removes: [] };
        const added = missingFrom(after, before.hostports);
        const { updatedAt, description, metadata, hostports, backendId, backendEnabled } = before;
        await catalog.commit([
          // What the change had released is made again.
          ...footingsOf(before, before.hostports).flatMap(({ writes }) => writes),
          store.edges.update(id, { updatedAt, description, metadata, hostports, backendId, backendEnabled }),
        ]);
        await giveBackOf(after, added);
        return {
          upserts: await routesOfEdges(core, [before]),
          removes: added.map(({ endpointId }) => endpointId),
        };
      });
      return view(after);
    },

    async remove(caller, kind, id) {
      const removed = await core.claims.runAlone(async () => {
        const row = find(caller, kind, id);
        if (row === null) return null;
        await removeRow(row);
        const removes = row.hostports.map(({ endpointId }) => endpointId);
        return { offline: core.edges.publish({ upserts: [], removes }) };
      });
      if (removed === null) return false;
      await settle(core, removed.offline);
      return true;
    },

    ...createEdgeRoutes(core),
  };
}

function missingFrom(edge: EdgeRow, hostports: EdgeRow['hostports']): EdgeRow['hostports'] {
  return edge.hostports.filter(({ endpointId }) => !hostports.some((entry) => entry.endpointId === endpointId));
}

function checkModule(kind: Kind, input: EdgeInput): void {
  if (kind === 'https' && input.backend !== undefined) {
    throw fail(90022, { field: 'backend', reason: 'an https edge has its backends on its routes' });
  }
}
