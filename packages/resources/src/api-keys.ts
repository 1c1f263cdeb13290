import { id, text, unserved } from './model/field.ts';
import { CREATED_AT, description, ID, metadata, NO_DIRECTORY, NO_MAIL, URI } from './model/common.ts';
import { plain } from './model/row.ts';

/** Keys of this API. */
export const apiKeys = plain({
  name: 'api_keys',
  title: 'API key',
  doc: 'What a client of this API authenticates with.',
  path: '/api_keys',
  listKey: 'keys',
  idPrefixes: ['ak'],
  verbs: ['list', 'create', 'get', 'update', 'delete'],
  filter: {},
  rows: { beside: { tokenHash: 'text' }, indexed: [['ownerId']] },
  fields: {
    id: ID,
    uri: URI,
    description: description(604, 'kept'),
    metadata: metadata(605),
    created_at: CREATED_AT,
    token: text('The key; in the answer of the create call, never again.', {
      out: 'null',
      filter: false,
      row: 'none',
    }),
    owner_id: id('The user that it belongs to.', { in: 'create' }),
    owner_email: unserved('Its user by mail address.', { in: 'create', out: 'never', because: NO_MAIL }),
    scim_user_id: unserved('Its user by the id of a directory.', { in: 'create', out: 'never', because: NO_DIRECTORY }),
  },
});
