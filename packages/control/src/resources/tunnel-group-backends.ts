import { fail } from '@postern/errors';
import { ALONE } from '../change/change.ts';
import type { HooksOf } from './hooks.ts';

/** Groups of labelled tunnels: every online tunnel that carries all of the labels (api.md §6). */
export const tunnelGroupBackends: HooksOf<'tunnelGroupBackends'> = (core) => {
  const { catalog, registry } = core;
  return {
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
  };
};

/** A group without labels would take in every tunnel of the account. */
function checkLabels<L extends object>(labels: L): L {
  if (Object.keys(labels).length === 0) throw fail(18015, { field: 'labels' });
  return labels;
}
