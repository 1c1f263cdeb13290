import { CREATED_AT, ID, URI } from './model/common.ts';
import { object, ref, text, time } from './model/field.ts';
import { plain } from './model/row.ts';

/** What browsers keep of log-ins, as far as the server was told. */
export const applicationSessions = plain({
  name: 'application_sessions',
  title: 'application session',
  doc: 'A log-in of a visitor by a policy, in one browser. Deleting one ends it, at once and for good: the next request has to log in. An account keeps the newest 10,000; an older one goes on until its own end, and ends with its user.',
  path: '/app/sessions',
  listKey: 'application_sessions',
  idPrefixes: ['as'],
  verbs: ['list', 'get', 'delete'],
  filter: {},
  rows: { beside: {} },
  fields: {
    id: ID,
    uri: URI,
    public_url: text('Where he logged in.'),
    browser_session: object('The browser, as it was then.', {
      filter: false,
      of: {
        user_agent: object('What it says that it is.', {
          of: {
            raw: text('The header.'),
            browser_name: text('Its name.'),
            browser_version: text('Its version.'),
            device_type: text('What it runs on.'),
            os_name: text('Its operating system.'),
            os_version: text('The version of that.'),
          },
        }),
        ip_address: text('Where it came from.'),
      },
    }),
    application_user: ref('Who it is.', { to: '/app/users' }),
    created_at: CREATED_AT,
    last_active: time('One of its last requests, at most ten minutes before the last.'),
    expires_at: time('When it is over at the latest; null = its policy sets no end.', { out: 'null' }),
    endpoint: ref('The endpoint that he logged in at; it may be gone.', { to: '/endpoints' }),
    edge: ref('Always null: it is the endpoint of the edge that is known.', { out: 'null', to: '/edges/https' }),
    route: ref('Always null, as the edge.', { out: 'null', to: '/edges/https' }),
  },
});
