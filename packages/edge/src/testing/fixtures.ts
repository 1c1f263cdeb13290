/** Small values that the edge's tests share. */
import type { AgentUpstream, RouteEndpoint, RouteUpdate, Scheme } from '@postern/link';
import { REQUEST_BUDGET, REQUEST_EFFORT, type PolicyContext, type Providers } from '@postern/policy';
import type { EdgeConfig, Log } from '../context.ts';
import { KnownResources } from '../services/resources.ts';
import { loginsOfOne, VisitorSessions } from '../services/sessions.ts';

const DEFAULT_PORTS: Readonly<Record<Scheme, number>> = { http: 80, https: 443, tls: 443, tcp: 0 };

/** A public agent endpoint of account `ac_1`, changed as asked. */
export function endpoint(id: string, proto: Scheme, host: string, change: Partial<RouteEndpoint> = {}): RouteEndpoint {
  const port = change.port ?? DEFAULT_PORTS[proto];
  const url = `${proto}://${host}${proto === 'tcp' || change.port !== undefined ? `:${port}` : ''}`;
  return {
    id,
    accountId: 'ac_1',
    kind: 'agent',
    proto,
    binding: 'public',
    host,
    port,
    url,
    publicUrl: url,
    pooling: false,
    policy: '',
    tls: { at: 'agent' },
    upstreams: [],
    routes: [],
    ...change,
  };
}

export function upstream(sessionId: string, tunnelId: string, change: Partial<AgentUpstream> = {}): AgentUpstream {
  return { sessionId, tunnelId, forwardsTo: 'localhost:1', protocol: 'http1', proxyProtocol: 0, ...change };
}

export function update(revision: number, change: Partial<RouteUpdate>): RouteUpdate {
  return { revision, snapshot: false, upserts: [], removes: [], ...change };
}

export const SILENT_LOG: Log = { debug() {}, info() {}, warn() {}, error() {} };
export { DEFAULT_EDGE_LIMITS as LIMITS } from '../limits.ts';

/** Nobody is asked who a visitor is. */
export const NO_PROVIDERS: Providers = {
  callbackUrl: 'https://idp.base.test/oauth2/callback',
  settings: () => null,
  ask: () => Promise.resolve({ problem: 'nobody is asked in this test' }),
  document: () => Promise.resolve({ problem: 'nobody is asked in this test' }),
};

/** A connection that no rule looks at. */
export const POLICY_CONTEXT: PolicyContext = {
  services: {
    addresses: null,
    firewall: null,
    breakers: { enter: () => ({ leave: () => {} }) },
    bcrypt: { matches: () => Promise.resolve(null) },
    counters: { take: () => 0 },
    events: { emit: () => {} },
    keys: { at: () => Promise.resolve({ problem: 'nobody is asked in this test' }) },
    outgoing: null,
    relays: null,
    providers: NO_PROVIDERS,
    resources: new KnownResources(),
    slices: { run: () => Promise.resolve('busy') },
    sessions: new VisitorSessions({ now: Date.now, sharedDomains: [], tell: () => {}, shared: loginsOfOne(Date.now) }),
  },
  signal: new AbortController().signal,
  conn: {
    clientIp: '192.0.2.1',
    clientPort: 1,
    serverIp: '192.0.2.2',
    serverPort: 443,
    serverRegion: '',
    startedAt: 0,
    bytesIn: 0,
    bytesOut: 0,
    tls: null,
  },
  endpoint: {
    id: 'ep_1',
    accountId: 'ac_1',
    url: 'https://a.example.com',
    host: 'a.example.com',
    port: 443,
    proto: 'https',
  },
  req: null,
  res: null,
  event: null,
  responseVars: null,
  work: { unitsLeft: REQUEST_BUDGET, effortLeft: REQUEST_EFFORT },
  results: null,
  tlsTermination: null,
  now: () => 0,
  random: () => 0,
  warn() {},
};

/** A configuration that asks for nothing. */
export const PLAIN_CONFIG = {
  trustedProxies: [],
  proxyProtocol: false,
  policyOutgoingAllow: [],
  strictExpressions: false,
  accessLog: false,
  logins: { host: 'idp.base.test', sharedDomains: ['base.test'], providers: {} },
  publicHttpPort: 80,
  redirectToHttps: true,
  region: 'local',
  expected: [],
} as const satisfies Partial<EdgeConfig>;
