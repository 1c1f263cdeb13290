/** Small values that the edge's tests share. */
import type { AgentUpstream, RouteEndpoint, RouteUpdate, Scheme } from '../control-link.ts';
import type { EdgeLimits, Log } from '../context.ts';

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

/** The defaults of DESIGN §3. */
export const LIMITS: EdgeLimits = {
  headBytes: 262_144,
  clientHelloMs: 3_000,
  tlsHandshakeMs: 10_000,
  requestHeadMs: 30_000,
  idleMs: 300_000,
  rpcBytes: 4_194_304,
  drainMs: 30_000,
  streamsPerSession: 480,
  queueMs: 5_000,
  upstreamIdleMs: 4_000,
  connections: 10_000,
  connectionsPerIp: 1_000,
};
