import { DEFAULT_EDGE_LIMITS, type EdgeConfig } from '@postern/edge';
import { type Address, everyAddress } from './config/addresses.ts';
import { flagOf } from './config/options.ts';
import type { ServerConfig } from './config/server-config.ts';
import { listenProblem } from './listen.ts';

/** What the edge needs of the server's configuration: plain data, as it may cross to another process. */
export function edgeConfig(
  config: ServerConfig,
  publicPorts: { readonly http: number; readonly https: number },
): EdgeConfig {
  return {
    http: everyAddress(config.http),
    https: everyAddress(config.https),
    // Bound before the edge was there, see door.ts.
    agents: [],
    tcpHosts: tcpAddresses(config),
    agentNames: config.agentNames,
    trustedProxies: config.trustedProxies,
    proxyProtocol: config.proxyProtocol,
    publicHttpPort: publicPorts.http,
    publicHttpsPort: publicPorts.https,
    redirectToHttps: config.redirectToHttps,
    region: config.region,
    limits: {
      ...DEFAULT_EDGE_LIMITS,
      drainMs: config.drainMs,
      requestHeadMs: config.requestHeadMs,
      idleMs: config.idleMs,
      stallMs: config.stallMs,
      connections: config.maxConnections,
      connectionsPerIp: config.maxConnectionsPerIp,
      streamsPerSession: config.maxStreamsPerAgent,
      mostStreamsPerSession: config.maxStreamsPerOwnAgent,
      queueMs: config.queueMs,
    },
  };
}

/** Where TCP endpoints listen, their ports still open. */
export function tcpAddresses({ tcpHosts }: Pick<ServerConfig, 'tcpHosts'>): readonly Address[] {
  return everyAddress(tcpHosts.map((host) => ({ host, port: 0 })));
}

/** How many ports a `--tcp-listen host:0` gets. */
const FREE_RANGE = 200;
const FREE_FROM = 20_000;
const FREE_TO = 32_000;

/** Ports of TCP endpoints; `0` means a range picked at random below the ports that systems give to clients. */
export function tcpPortRange(
  { tcpRange }: Pick<ServerConfig, 'tcpRange'>,
  random: () => number,
): { first: number; last: number } {
  if (tcpRange.from !== 0) return { first: tcpRange.from, last: tcpRange.to };
  const first = FREE_FROM + Math.floor(random() * (FREE_TO - FREE_FROM - FREE_RANGE));
  return { first, last: first + FREE_RANGE - 1 };
}

/** The edge reports the system's error; what a user needs is the flag. */
export function edgeListenProblem(config: ServerConfig, error: unknown): unknown {
  if (!(error instanceof Error && 'port' in error && typeof error.port === 'number')) return error;
  const { port } = error;
  const host = 'address' in error && typeof error.address === 'string' ? error.address : '';
  const has = (addresses: readonly Address[], wanted: number): boolean =>
    everyAddress(addresses).some((address) => address.port === wanted && (host === '' || address.host === host));
  // One with port 0 was tried on some port or other.
  const isHttp = has(config.http, port) || (!has(config.https, port) && has(config.http, 0));
  const flag = isHttp ? 'http_listen' : 'https_listen';
  return listenProblem(flagOf(flag), { host, port }, error);
}
