import { fail } from '@postern/errors';
import { tunnelGroupBackends } from '@postern/resources';
import { ALONE } from '../change/change.ts';
import type { Core } from '../core.ts';
import type { ControlApi } from '../types.ts';
import { crud } from './crud.ts';

/** Groups of labelled tunnels: every online tunnel that carries all of the labels (api.md §6). */
export function createTunnelGroupBackends(core: Core): ControlApi['tunnelGroupBackends'] {
  const { catalog, registry, store } = core;
  return crud(core, {
    definition: tunnelGroupBackends,
    table: store.tunnelGroupBackends,
    rows: catalog.backends,
    keys: { create: () => ALONE, change: () => ALONE },
    check({ labels }) {
      if (labels !== undefined) checkLabels(labels);
    },
    make: (head, { description = '', metadata = '', labels = {} }) => ({
      row: { ...head, description, metadata, labels: checkLabels(labels) },
    }),
    change: (patch) => patch,
    viewer: () => async (row) => {
      const { id, createdAt, description, metadata, labels } = row;
      const tunnels = await registry.tunnelsWithLabels(row.accountId, labels);
      return { id, createdAt, description, metadata, labels, tunnelIds: tunnels.map((tunnel) => tunnel.id) };
    },
    usedBy: {
      users: ({ id }) => catalog.edgesUsing(id).map((edge) => `edge ${edge.id}`),
      error: ({ id }, users) => fail(90028, { id, users }),
    },
  });
}

/** A group without labels would take in every tunnel of the account. */
function checkLabels<L extends object>(labels: L): L {
  if (Object.keys(labels).length === 0) throw fail(18015, { field: 'labels' });
  return labels;
}
