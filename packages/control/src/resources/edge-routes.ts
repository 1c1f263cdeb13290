import type { EdgeRouteRow, EdgeRow, Write } from '@postern/store';
import type { Core } from '../core.ts';
import { routesOfEdges } from '../labelled.ts';
import { settle } from '../online.ts';
import type { Caller, EdgeRouteView, EdgeService } from '../types.ts';
import { backendModule, checkEdgeTexts, readBackend, readMatch } from './edge-input.ts';

const NO_BACKEND = { backendId: '', backendEnabled: false } as const;

/** Routes of an HTTPS edge; the first that matches a path, in order of creation, has it. */
export function createEdgeRoutes(
  core: Core,
): Pick<EdgeService, 'createRoute' | 'getRoute' | 'updateRoute' | 'removeRoute'> {
  const { catalog, store } = core;

  function findEdge(caller: Caller, edgeId: string): EdgeRow | null {
    const edge = catalog.edges.owned(caller.accountId, edgeId);
    return edge?.kind === 'https' ? edge : null;
  }

  function findRoute(caller: Caller, edgeId: string, id: string): EdgeRouteRow | null {
    const route = findEdge(caller, edgeId) === null ? null : catalog.edgeRoutes.get(id);
    return route?.edgeId === edgeId ? route : null;
  }

  /** Commits and hands the edge its new routes. No address changes hands, so the edge has no reason to refuse. */
  async function apply(edgeId: string, write: Write): Promise<{ readonly applied: Promise<void> }> {
    const edge = catalog.edges.get(edgeId);
    if (edge === null) return { applied: Promise.resolve() };
    await catalog.commit([write, store.edges.update(edgeId, { updatedAt: core.timestamp() })]);
    const upserts = await routesOfEdges(core, [catalog.edges.get(edgeId) ?? edge]);
    return { applied: core.edges.publish({ upserts, removes: [] }) };
  }

  return {
    async createRoute(caller, edgeId, input) {
      checkEdgeTexts(input);
      const made = await core.claims.runAlone(async () => {
        if (findEdge(caller, edgeId) === null) return null;
        const row: EdgeRouteRow = {
          id: core.ids.next('edghtsrt'),
          accountId: caller.accountId,
          edgeId,
          createdAt: core.timestamp(),
          ...readMatch(core, edgeId, input, null),
          description: input.description ?? '',
          metadata: input.metadata ?? '',
          ...readBackend(core, caller.accountId, input.backend, NO_BACKEND),
        };
        return { row, ...(await apply(edgeId, store.edgeRoutes.insert(row))) };
      });
      if (made === null) return null;
      await settle(core, made.applied);
      return routeView(made.row);
    },

    async getRoute(caller, edgeId, id) {
      const row = findRoute(caller, edgeId, id);
      return row === null ? null : routeView(row);
    },

    async updateRoute(caller, edgeId, id, input) {
      checkEdgeTexts(input);
      const changed = await core.claims.runAlone(async () => {
        const before = findRoute(caller, edgeId, id);
        if (before === null) return null;
        const change = {
          ...readMatch(core, edgeId, input, before),
          description: input.description ?? before.description,
          metadata: input.metadata ?? before.metadata,
          ...readBackend(core, caller.accountId, input.backend, before),
        };
        return { row: { ...before, ...change }, ...(await apply(edgeId, store.edgeRoutes.update(id, change))) };
      });
      if (changed === null) return null;
      await settle(core, changed.applied);
      return routeView(changed.row);
    },

    async removeRoute(caller, edgeId, id) {
      const removed = await core.claims.runAlone(async () => {
        if (findRoute(caller, edgeId, id) === null) return null;
        return apply(edgeId, store.edgeRoutes.delete(id));
      });
      if (removed === null) return false;
      await settle(core, removed.applied);
      return true;
    },
  };
}

export function routeView(row: EdgeRouteRow): EdgeRouteView {
  const { id, edgeId, createdAt, matchType, match, description, metadata } = row;
  return { id, edgeId, createdAt, matchType, match, description, metadata, backend: backendModule(row) };
}
