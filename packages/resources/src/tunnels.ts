import { id, labels, ref, refs, text, time } from './model/field.ts';
import { resource } from './model/resource.ts';

/** Tunnels of agents that are online. Labelled ones have labels and no address of their own. */
export const tunnels = resource({
  name: 'tunnels',
  title: 'tunnel',
  doc: 'What an agent that is online serves.',
  path: '/tunnels',
  listKey: 'tunnels',
  idPrefixes: ['tn'],
  verbs: ['list', 'get'],
  filter: null,
  fields: {
    id: id('Its id.'),
    public_url: text('What a visitor opens.', { out: 'left-out', computed: true }),
    started_at: time('When it came online.'),
    metadata: text('As the agent gave it.', { out: 'left-out' }),
    proto: text('http, https, tls or tcp.', { out: 'left-out', computed: true }),
    region: text('Region of this server.'),
    tunnel_session: ref('The agent that serves it.', { to: '/tunnel_sessions' }),
    endpoint: ref('Its endpoint.', { out: 'left-out', to: '/endpoints', computed: true }),
    labels: labels('Its labels.', { out: 'left-out', computed: true }),
    backends: refs('The groups that it is in.', { out: 'left-out', to: '/backends/tunnel_group', computed: true }),
    forwards_to: text('Where the agent sends traffic.'),
  },
});
