import { text, time } from './model/field.ts';
import { CREATED_AT, description, ID, metadata, NAME_BYTES, nameCheck, URI } from './model/common.ts';
import { plain } from './model/row.ts';

/** What secrets are kept in. */
export const vaults = plain({
  name: 'vaults',
  title: 'vault',
  doc: 'A place for secrets, which are named by its name and theirs.',
  path: '/vaults',
  listKey: 'vaults',
  idPrefixes: ['vault'],
  verbs: ['list', 'create', 'get', 'update', 'delete'],
  filter: {},
  rows: { beside: {}, unique: [{ fields: ['accountId', 'name'], error: 23004 }] },
  inUse: 23003,
  fields: {
    id: ID,
    uri: URI,
    created_at: CREATED_AT,
    updated_at: time('When it was changed last.', { auto: 'changed-at' }),
    name: text('Its name, which no other vault of the account has: letters, digits and _ / . -', {
      in: 'both',
      needed: 23001,
      check: nameCheck(23000),
      most: { bytes: NAME_BYTES, error: 23002 },
    }),
    description: description(90079, 'kept'),
    metadata: metadata(90079, 'kept'),
    created_by: text('Who made it: the id of a user.', { auto: 'made-by' }),
    last_updated_by: text('Who changed it last: the id of a user.', { auto: 'changed-by' }),
  },
});
