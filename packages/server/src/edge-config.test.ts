import { expect, test } from 'vitest';
import { resolveConfig } from './config/server-config.ts';
import { edgeConfig, tcpPortRange } from './edge-config.ts';

const surroundings = { cwd: '/', cloneRoot: '/', isTerminal: false };

test('what the edge gets, as plain data: both loopbacks, proxies, limits, public ports', () => {
  const config = resolveConfig(
    [
      {
        trusted_proxies: ['10.0.0.0/8'],
        proxy_protocol: ['true'],
        drain_timeout: ['5'],
        request_head_timeout: ['2'],
        idle_timeout: ['60'],
        stall_timeout: ['9'],
        max_connections: ['7'],
        max_connections_per_ip: ['3'],
      },
    ],
    surroundings,
  );
  const edge = edgeConfig(config, { http: 8080, https: 443 }, []);
  const getters = [edge, edge.limits].flatMap((part) =>
    Object.keys(part).filter((key) => !('value' in (Object.getOwnPropertyDescriptor(part, key) ?? {}))),
  );
  expect(getters).toEqual([]);
  expect(structuredClone(edge)).toEqual(edge);
  expect(edge).toMatchObject({
    tcpHosts: [
      { host: '127.0.0.1', port: 0 },
      { host: '::1', port: 0, optional: true },
    ],
    trustedProxies: ['10.0.0.0/8'],
    proxyProtocol: true,
    publicHttpPort: 8080,
    redirectToHttps: true,
    limits: { drainMs: 5000, requestHeadMs: 2000, idleMs: 60_000, stallMs: 9_000, connections: 7, connectionsPerIp: 3 },
  });
});

test('free TCP ports lie below those that systems give to clients', () => {
  expect(tcpPortRange({ tcpRange: { from: 7000, to: 7009 } }, () => 0.5)).toEqual({ first: 7000, last: 7009 });
  for (const random of [0, 0.5, 0.999_999]) {
    const { first, last } = tcpPortRange({ tcpRange: { from: 0, to: 0 } }, () => random);
    expect(first).toBeGreaterThanOrEqual(20_000);
    expect(last).toBeGreaterThan(first);
    expect(last).toBeLessThan(32_768);
  }
});
