import { CREATED_AT, ID, URI } from './model/common.ts';
import { object, text, time } from './model/field.ts';
import { plain } from './model/row.ts';

/** Whom identity providers have named; they come to be by logging in. */
export const applicationUsers = plain({
  name: 'application_users',
  title: 'application user',
  doc: 'A visitor who has logged in by a policy: one person of one identity provider. Deleting one ends all sessions that he has, at once and for good; he may log in again. An account keeps the 10,000 who logged in last; ids are not in the order of time.',
  path: '/app/users',
  listKey: 'application_users',
  idPrefixes: ['au'],
  verbs: ['list', 'get', 'delete'],
  filter: {},
  rows: { beside: {} },
  fields: {
    id: ID,
    uri: URI,
    identity_provider: object('Who named him.', {
      filter: false,
      of: { name: text('As the policy names it.'), url: text('Its address, where its name is one.') },
    }),
    provider_user_id: text('What the provider calls him.'),
    username: text('His name at the provider, where it says one; else empty.'),
    email: text('His address, if the provider vouches for it.'),
    name: text('His name for people.'),
    created_at: CREATED_AT,
    last_active: time('One of his last requests, at most ten minutes before the last.'),
    last_login: time('When he logged in last.'),
  },
});
