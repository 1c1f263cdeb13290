import { CREATED_AT, description, ID, metadata, URI } from './model/common.ts';
import { plain } from './model/row.ts';

/** Groups of rules by network. */
export const ipPolicies = plain({
  name: 'ip_policies',
  title: 'IP policy',
  doc: 'A group of networks that are allowed or denied, to be named in one place and used in many.',
  path: '/ip_policies',
  listKey: 'ip_policies',
  idPrefixes: ['ipp'],
  verbs: ['list', 'create', 'get', 'update', 'delete'],
  filter: {},
  rows: { beside: {} },
  emptyUpdate: 1400,
  fields: {
    id: ID,
    uri: URI,
    created_at: CREATED_AT,
    description: description(90079, 'kept'),
    metadata: metadata(90079),
  },
});
