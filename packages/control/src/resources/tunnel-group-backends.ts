import { fail } from '@postern/errors';
import type { TunnelGroupBackendRow } from '@postern/store';
import { ALONE, run } from '../change/change.ts';
import { settle } from '../change/confirm.ts';
import { unchanged } from '../change/value.ts';
import type { Core } from '../core.ts';
import type { ResourceService, TunnelGroupBackendCreate, TunnelGroupBackendView } from '../types.ts';
import { checkEdgeTexts } from './edge-input.ts';
import { pageOf } from './paging.ts';
import { summarise } from '../users.ts';

/** Groups of labelled tunnels: every online tunnel that carries all of the labels (api.md §6). */
export function createTunnelGroupBackends(
  core: Core,
): ResourceService<TunnelGroupBackendView, TunnelGroupBackendCreate, TunnelGroupBackendCreate> {
  const { catalog, store } = core;

  async function view(row: TunnelGroupBackendRow): Promise<TunnelGroupBackendView> {
    const { id, createdAt, description, metadata, labels } = row;
    const tunnels = await core.registry.tunnelsWithLabels(row.accountId, labels);
    return { id, createdAt, description, metadata, labels, tunnelIds: tunnels.map((tunnel) => tunnel.id) };
  }

  return {
    async create(caller, input) {
      checkEdgeTexts(input);
      const labels = checkLabels(input.labels);
      const row: TunnelGroupBackendRow = {
        id: core.ids.next('bkdtg'),
        accountId: caller.accountId,
        createdAt: core.timestamp(),
        description: input.description ?? '',
        metadata: input.metadata ?? '',
        labels,
      };
      await run(core, ALONE, async () => ({
        answer: null,
        writes: [store.tunnelGroupBackends.insert(row)],
        registry: [],
      }));
      return view(row);
    },

    async get(caller, id) {
      const row = catalog.backends.owned(caller.accountId, id);
      return row === null ? null : view(row);
    },

    async list(caller, { beforeId, limit }) {
      const page = pageOf(catalog.backends.list(caller.accountId, beforeId, limit + 1), limit, view);
      return { items: await Promise.all(page.items), more: page.more };
    },

    async update(caller, id, patch) {
      checkEdgeTexts(patch);
      const done = await run(core, ALONE, async () => {
        const before = catalog.backends.owned(caller.accountId, id);
        if (before === null) return unchanged(null);
        const change = {
          description: patch.description ?? before.description,
          metadata: patch.metadata ?? before.metadata,
          labels: patch.labels === undefined ? before.labels : checkLabels(patch.labels),
        };
        const answer: TunnelGroupBackendRow = { ...before, ...change };
        return { answer, writes: [store.tunnelGroupBackends.update(id, change)], registry: [] };
      });
      await settle(core, done.online);
      return done.answer === null ? null : view(done.answer);
    },

    async remove(caller, id) {
      const done = await run(core, ALONE, async () => {
        if (catalog.backends.owned(caller.accountId, id) === null) return unchanged(false);
        const users = catalog.edgesUsing(id).map((edge) => `edge ${edge.id}`);
        if (users.length > 0) throw fail(90028, { id, users: summarise(users) });
        return { answer: true, writes: [store.tunnelGroupBackends.delete(id)], registry: [] };
      });
      return done.answer;
    },
  };
}

/** A group without labels would take in every tunnel of the account. */
function checkLabels(labels: Readonly<Record<string, string>> | undefined): Readonly<Record<string, string>> {
  if (labels === undefined || Object.keys(labels).length === 0) throw fail(18015, { field: 'labels' });
  return labels;
}
