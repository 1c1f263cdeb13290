import { text, unserved } from './model/field.ts';
import { CREATED_AT, description, ID, metadata, URI } from './model/common.ts';
import { plain } from './model/row.ts';

/** TCP addresses that an account holds. */
export const reservedAddrs = plain({
  name: 'reserved_addrs',
  title: 'reserved address',
  doc: 'A TCP address that only its account may use; the server picks host and port.',
  path: '/reserved_addrs',
  listKey: 'reserved_addrs',
  idPrefixes: ['ra'],
  verbs: ['list', 'create', 'get', 'update', 'delete'],
  filter: {},
  rows: { beside: { port: 'integer', automatic: 'boolean' }, unique: [{ fields: ['addr'] }], indexed: [['port']] },
  emptyUpdate: 506,
  fields: {
    id: ID,
    uri: URI,
    created_at: CREATED_AT,
    description: description(504, 'kept'),
    metadata: metadata(505),
    addr: text('host:port.'),
    region: text('Kept for older clients, as they wrote it: every region is this server.', { in: 'both' }),
    endpoint_configuration: unserved('Legacy.'),
    endpoint_configuration_id: unserved('Legacy.', {
      in: 'both',
      out: 'never',
      because: 'a traffic policy at the endpoint says it',
    }),
  },
});
