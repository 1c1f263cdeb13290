import { id, text, texts, unserved } from './model/field.ts';
import { CREATED_AT, description, ID, metadata, NO_DIRECTORY, NO_MAIL, URI } from './model/common.ts';
import { plain } from './model/row.ts';

/** Authtokens of agents. */
export const credentials = plain({
  name: 'credentials',
  title: 'credential',
  doc: 'An authtoken: what an agent connects with.',
  path: '/credentials',
  listKey: 'credentials',
  idPrefixes: ['cr'],
  verbs: ['list', 'create', 'get', 'update', 'delete'],
  filter: {},
  rows: { beside: { tokenHash: 'text', isDefault: 'boolean' }, indexed: [['ownerId'], ['isDefault']] },
  emptyUpdate: 606,
  fields: {
    id: ID,
    uri: URI,
    created_at: CREATED_AT,
    description: description(604, 'kept'),
    metadata: metadata(605),
    token: text('The authtoken; in the answer of the create call, never again.', {
      out: 'null',
      filter: false,
      row: 'none',
    }),
    acl: texts('What it may bind, as `bind:*.example.com`; empty = everything.', { in: 'both' }),
    owner_id: id('The user that it belongs to.', { in: 'create' }),
    owner_email: unserved('Its user by mail address.', { in: 'create', out: 'never', because: NO_MAIL }),
    scim_user_id: unserved('Its user by the id of a directory.', { in: 'create', out: 'never', because: NO_DIRECTORY }),
    precomputed_token: unserved('An authtoken of its own.', {
      in: 'create',
      out: 'never',
      because: 'tokens are made by the server',
    }),
  },
});
