import type { Snapshot } from '@postern/registry';
import { httpsEdges, tcpEdges, tlsEdges } from '@postern/resources';
import type { EdgeRow } from '@postern/store';
import { fail } from '@postern/errors';
import { ALONE, run } from '../change/change.ts';
import { putOnline, settle } from '../change/confirm.ts';
import { unchanged } from '../change/value.ts';
import type { Core } from '../core.ts';
import { checkTexts } from '../texts.ts';
import type { Caller, EdgeInput, EdgeService, EdgeView } from '../types.ts';
import { backendModule, claimHostports, readBackend } from './edge-input.ts';
import { createEdgeRoutes, routeView } from './edge-routes.ts';
import { pageOf } from './paging.ts';

type Kind = EdgeView['kind'];

const DEFINITION = { https: httpsEdges, tls: tlsEdges, tcp: tcpEdges } as const;
const NO_FENCE: Snapshot = new Map();
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

  return {
    async create(caller, kind, input) {
      const { accountId } = caller;
      checkTexts(DEFINITION[kind], input);
      checkModule(kind, input);
      const done = await run(core, ALONE, async () => {
        const { hostports, writes, fence } = await claimHostports(core, accountId, kind, input.hostports ?? [], null);
        const now = core.timestamp();
        const made: EdgeRow = {
          id: core.ids.next(DEFINITION[kind].idPrefixes[0]),
          accountId,
          kind,
          createdAt: now,
          updatedAt: now,
          description: input.description ?? '',
          metadata: input.metadata ?? '',
          hostports,
          ...readBackend(core, accountId, input.backend, NO_BACKEND),
        };
        return { answer: made, writes: [...writes, store.edges.insert(made)], registry: [], fence };
      });
      await putOnline(core, namesOf(done.answer), done);
      return view(done.answer);
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
      checkTexts(DEFINITION[kind], input);
      checkModule(kind, input);
      const done = await run(core, ALONE, async () => {
        const before = find(caller, kind, id);
        if (before === null) return unchanged(null);
        const { hostports, writes, fence } =
          input.hostports === undefined
            ? { hostports: before.hostports, writes: [], fence: NO_FENCE }
            : await claimHostports(core, caller.accountId, kind, input.hostports, before);
        const change = {
          updatedAt: core.timestamp(),
          description: input.description ?? before.description,
          metadata: input.metadata ?? before.metadata,
          hostports,
          ...readBackend(core, caller.accountId, input.backend, before),
        };
        const after: EdgeRow = { ...before, ...change };
        return { answer: after, writes: [...writes, store.edges.update(id, change)], registry: [], fence };
      });
      const after = done.answer;
      if (after === null) return null;
      await putOnline(core, namesOf(after), done);
      return view(after);
    },

    async remove(caller, kind, id) {
      const done = await run(core, ALONE, async () => {
        if (find(caller, kind, id) === null) return unchanged(false);
        const routes = catalog.routesOf(id).map((route) => store.edgeRoutes.delete(route.id));
        return { answer: true, writes: [...routes, store.edges.delete(id)], registry: [] };
      });
      if (done.answer) await settle(core, done.online);
      return done.answer;
    },

    ...createEdgeRoutes(core),
  };
}

function namesOf({ hostports }: EdgeRow): string {
  return hostports.map(({ hostport }) => hostport).join(', ');
}

function checkModule(kind: Kind, input: EdgeInput): void {
  if (kind === 'https' && input.backend !== undefined) {
    throw fail(90022, { field: 'backend', reason: 'an https edge has its backends on its routes' });
  }
}
