import { DEFAULT_EDGE_LIMITS, type EdgeConfig } from '@postern/edge';
import type { ExpectedName } from '@postern/link';
import { type Address, everyAddress } from './config/addresses.ts';
import type { ServerConfig } from './config/server-config.ts';

/** What the edge needs of the server's configuration: plain data, as it may cross to another process. */
export function edgeConfig(
  config: ServerConfig,
  publicPorts: { readonly http: number; readonly https: number },
  expected: readonly ExpectedName[],
  loginProviders: EdgeConfig['logins']['providers'] = {},
): EdgeConfig {
  return {
    tcpHosts: tcpAddresses(config),
    agentNames: config.agentNames,
    trustedProxies: config.trustedProxies,
    proxyProtocol: config.proxyProtocol,
    policyOutgoingAllow: config.policyOutgoingAllow,
    strictExpressions: config.strictExpressions,
    accessLog: config.accessLog !== null,
    logins: { host: config.loginHost, sharedDomains: config.baseDomains, providers: loginProviders },
    publicHttpPort: publicPorts.http,
    publicHttpsPort: publicPorts.https,
    redirectToHttps: config.redirectToHttps,
    region: config.region,
    expected,
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
      arrivalMs: config.arrivalMs,
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
