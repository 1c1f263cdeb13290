import { ref, text, time } from './model/field.ts';
import { ID, URI } from './model/common.ts';
import { resource } from './model/resource.ts';

/** Agents that are connected. */
export const tunnelSessions = resource({
  name: 'tunnel_sessions',
  title: 'tunnel session',
  doc: 'An agent that is connected.',
  path: '/tunnel_sessions',
  listKey: 'tunnel_sessions',
  idPrefixes: ['ts'],
  verbs: ['list', 'get'],
  actions: [
    { name: 'stop', doc: 'Asks the agent to end.' },
    { name: 'restart', doc: 'Asks the agent to start anew.' },
    { name: 'update', doc: 'Asks the agent to update itself, to the version that `version` of the body names.' },
  ],
  filter: {},
  fields: {
    id: ID,
    agent_version: text('Version of the agent.'),
    credential: ref('The authtoken that it came with.', { to: '/credentials' }),
    ip: text('Its address.'),
    metadata: text('As the agent gave it.', { out: 'left-out' }),
    os: text('Its operating system.'),
    region: text('Region of this server.'),
    started_at: time('When it connected.'),
    transport: text('Protocol and version.'),
    uri: URI,
  },
});
