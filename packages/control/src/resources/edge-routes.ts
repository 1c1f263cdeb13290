import { edgeRoutes } from '@postern/resources';
import type { EdgeRouteRow, EdgeRow, Write } from '@postern/store';
import { ALONE, run } from '../change/change.ts';
import { settle } from '../change/confirm.ts';
import { unchanged } from '../change/value.ts';
import type { Core } from '../core.ts';
import { checkTexts } from '../texts.ts';
import type { Caller, EdgeRouteView, EdgeService } from '../types.ts';
import { backendModule, readBackend, readMatch } from './edge-input.ts';

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

  /** Writes, and waits for the edge. No address changes hands, so the edge has no reason to refuse. */
  async function change<T>(edgeId: string, decide: () => { readonly answer: T; readonly write: Write } | null) {
    const done = await run(core, ALONE, async () => {
      const decided = decide();
      if (decided === null) return unchanged(null);
      const touched = store.edges.update(edgeId, { updatedAt: core.timestamp() });
      return { answer: decided.answer, writes: [decided.write, touched], registry: [] };
    });
    await settle(core, done.online);
    return done.answer;
  }

  return {
    async createRoute(caller, edgeId, input) {
      checkTexts(edgeRoutes, input);
      const made = await change(edgeId, () => {
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
        return { answer: row, write: store.edgeRoutes.insert(row) };
      });
      return made === null ? null : routeView(made);
    },

    async getRoute(caller, edgeId, id) {
      const row = findRoute(caller, edgeId, id);
      return row === null ? null : routeView(row);
    },

    async updateRoute(caller, edgeId, id, input) {
      checkTexts(edgeRoutes, input);
      const changed = await change(edgeId, () => {
        const before = findRoute(caller, edgeId, id);
        if (before === null) return null;
        const patch = {
          ...readMatch(core, edgeId, input, before),
          description: input.description ?? before.description,
          metadata: input.metadata ?? before.metadata,
          ...readBackend(core, caller.accountId, input.backend, before),
        };
        return { answer: { ...before, ...patch }, write: store.edgeRoutes.update(id, patch) };
      });
      return changed === null ? null : routeView(changed);
    },

    async removeRoute(caller, edgeId, id) {
      const removed = await change(edgeId, () =>
        findRoute(caller, edgeId, id) === null ? null : { answer: true, write: store.edgeRoutes.delete(id) },
      );
      return removed ?? false;
    },
  };
}

export function routeView(row: EdgeRouteRow): EdgeRouteView {
  const { id, edgeId, createdAt, matchType, match, description, metadata } = row;
  return { id, edgeId, createdAt, matchType, match, description, metadata, backend: backendModule(row) };
}
