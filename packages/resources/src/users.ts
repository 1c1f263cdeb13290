import { flag, text } from './model/field.ts';
import { CREATED_AT, ID, URI } from './model/common.ts';
import { resource } from './model/resource.ts';
import { plain } from './model/row.ts';

const FIELDS = {
  id: ID,
  uri: URI,
  name: text('Its name.', { in: 'both' }),
  active: flag('Whether what it owns works.', { in: 'both' }),
  created_at: CREATED_AT,
} as const;

/** Users that are programs. */
export const botUsers = plain({
  name: 'bot_users',
  title: 'bot user',
  doc: 'A user that is a program: it owns authtokens and API keys. The older name of service users.',
  path: '/bot_users',
  listKey: 'bot_users',
  idPrefixes: ['bot', 'service'],
  verbs: ['list', 'create', 'get', 'update', 'delete'],
  filter: null,
  rows: { beside: {} },
  fields: FIELDS,
});

/** The same rows under their newer name. */
export const serviceUsers = resource({
  ...botUsers,
  name: 'service_users',
  title: 'service user',
  doc: 'A user that is a program: it owns authtokens and API keys.',
  path: '/service_users',
  listKey: 'service_users',
  idPrefixes: ['service', 'bot'],
  filter: {},
});
