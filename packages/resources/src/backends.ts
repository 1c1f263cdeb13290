import { flag, id, labels, object, ref, refs } from './model/field.ts';
import { CREATED_AT, description, ID, metadata, URI } from './model/common.ts';
import { plain } from './model/row.ts';

/** What an edge forwards to: every online labelled tunnel that has all of these labels. */
export const tunnelGroupBackends = plain({
  name: 'tunnel_group_backends',
  title: 'tunnel group backend',
  doc: 'What an edge forwards to: every labelled tunnel online that has all of these labels.',
  path: '/backends/tunnel_group',
  listKey: 'backends',
  idPrefixes: ['bkdtg'],
  verbs: ['list', 'create', 'get', 'update', 'delete'],
  filter: null,
  rows: { beside: {} },
  deprecated: true,
  fields: {
    id: ID,
    uri: URI,
    created_at: CREATED_AT,
    description: description(18012, 'kept'),
    metadata: metadata(18013, 'kept'),
    labels: labels('The labels that a tunnel needs.', { in: 'both' }),
    tunnels: refs('The tunnels that match now.', { to: '/tunnels', view: 'tunnelIds' }),
  },
});

export const BACKEND_FIELDS = {
  enabled: flag('Whether it is used.', { in: 'both', preset: true }),
  backend: ref('The group of tunnels.', { to: '/backends/tunnel_group' }),
  backend_id: id('Id of the group of tunnels.', { in: 'both', required: true, out: 'never' }),
} as const;

/** The backend module of an edge or of a route. */
export const BACKEND = object('Where traffic goes.', { in: 'both', out: 'null', of: BACKEND_FIELDS });
