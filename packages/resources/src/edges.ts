import { type Field, id, objects, text, texts, unserved } from './model/field.ts';
import { BACKEND } from './backends.ts';
import { CREATED_AT, description, ID, metadata, URI } from './model/common.ts';
import { resource } from './model/resource.ts';

/** Modules of the legacy edges other than `backend`: refused by name in bodies and on paths, null in answers. */
export const OTHER_MODULES = {
  https: ['mutual_tls', 'tls_termination'],
  tls: ['ip_restriction', 'mutual_tls', 'tls_termination', 'policy', 'traffic_policy'],
  tcp: ['ip_restriction', 'policy', 'traffic_policy'],
  route: [
    'ip_restriction',
    'circuit_breaker',
    'compression',
    'request_headers',
    'response_headers',
    'webhook_verification',
    'oauth',
    'saml',
    'oidc',
    'websocket_tcp_converter',
    'user_agent_filter',
    'policy',
    'traffic_policy',
  ],
} as const;

type Unserved<Names extends readonly string[]> = { readonly [N in Names[number]]: Field<'unserved', { in: 'both' }> };

function modules<const Names extends readonly string[]>(names: Names): Unserved<Names> {
  const entries = names.map((name) => [name, unserved('A module that is not served here.', { in: 'both' })]);
  // The mapped type says what the loop does; no checker can see that.
  // oxlint-disable-next-line no-unsafe-type-assertion
  return Object.fromEntries(entries) as Unserved<Names>;
}

const HEAD = {
  id: ID,
  description: description(18012, 'kept'),
  metadata: metadata(18013, 'kept'),
  created_at: CREATED_AT,
  uri: URI,
} as const;
const VERBS = ['list', 'create', 'get', 'update', 'delete'] as const;

/** One route of an HTTPS edge. */
export const edgeRoutes = resource({
  name: 'edges_https_routes',
  title: 'route of an HTTPS edge',
  doc: 'Which paths of an HTTPS edge go to which backend.',
  path: '/edges/https/{edge_id}/routes',
  listKey: null,
  idPrefixes: ['edghtsrt'],
  params: { edge_id: ['edghts'] },
  verbs: ['create', 'get', 'update', 'delete'],
  filter: null,
  deprecated: true,
  fields: {
    edge_id: id('The edge that it belongs to.'),
    id: ID,
    created_at: CREATED_AT,
    match_type: text('exact_path or path_prefix.', { in: 'both' }),
    match: text('The path, or how it begins.', { in: 'both' }),
    uri: URI,
    description: description(18012, 'kept'),
    metadata: metadata(18013, 'kept'),
    backend: BACKEND,
    ...modules(OTHER_MODULES.route),
  },
});

export const httpsEdges = resource({
  name: 'edges_https',
  title: 'HTTPS edge',
  doc: 'Names whose HTTPS requests go to backends by their path.',
  path: '/edges/https',
  listKey: 'https_edges',
  idPrefixes: ['edghts'],
  verbs: VERBS,
  filter: null,
  deprecated: true,
  fields: {
    ...HEAD,
    hostports: texts('host:port of each name.', { in: 'both' }),
    ...modules(OTHER_MODULES.https),
    routes: objects('Its routes.', { of: edgeRoutes.fields, to: edgeRoutes.path }),
  },
});

export const tlsEdges = resource({
  name: 'edges_tls',
  title: 'TLS edge',
  doc: 'Names whose TLS connections go to a backend.',
  path: '/edges/tls',
  listKey: 'tls_edges',
  idPrefixes: ['edgtls'],
  verbs: VERBS,
  filter: null,
  deprecated: true,
  fields: {
    ...HEAD,
    hostports: texts('host:port of each name.', { in: 'both' }),
    backend: BACKEND,
    ...modules(OTHER_MODULES.tls),
  },
});

export const tcpEdges = resource({
  name: 'edges_tcp',
  title: 'TCP edge',
  doc: 'Addresses whose TCP connections go to a backend.',
  path: '/edges/tcp',
  listKey: 'tcp_edges',
  idPrefixes: ['edgtcp'],
  verbs: VERBS,
  filter: null,
  deprecated: true,
  fields: {
    ...HEAD,
    // Published samples have null for a TCP edge without any.
    hostports: texts('host:port of each address.', { in: 'both', out: 'null' }),
    backend: BACKEND,
    ...modules(OTHER_MODULES.tcp),
  },
});
