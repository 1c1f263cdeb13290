import type { TrafficEvent } from '@postern/link';
import { afterEach, describe, expect, test } from 'vitest';
import { listen } from '../listeners/listen.ts';
import { exposition, Histogram } from './exposition.ts';
import { Metrics } from './metrics.ts';
import { createMetricsServer, type Readiness } from './metrics-server.ts';

function event(changes: Partial<TrafficEvent>): TrafficEvent {
  return {
    kind: 'http',
    endpointId: 'ep_1',
    accountId: 'ac_1',
    startedAt: 0,
    durationMs: 4,
    clientAddr: '127.0.0.1:1',
    bytesIn: 10,
    bytesOut: 100,
    access: null,
    method: 'GET',
    host: 'a.test',
    path: '/',
    status: 200,
    errorCode: '',
    reason: 'complete',
    ...changes,
  };
}
const edge = {
  agentSessions: 1,
  agentStreams: 2,
  crossedStreams: 0,
  movedConnections: 0,
  places: { used: 2, free: 478, waiting: 6, refused: 7, reclaimed: 8 },
  listeners: [
    { name: 'https', visitors: true, open: 2, refused: 3, crowdedOut: 4 },
    { name: 'tcp', visitors: true, open: 1, refused: 0, crowdedOut: 0 },
    { name: 'agents', visitors: false, open: 7, refused: 1, crowdedOut: 0 },
  ],
  endpoints: 5,
  faults: 6,
  policyWarnings: 9,
  buckets: { kept: 10, forgotten: 11 },
  lostEvents: 12,
  outside: { asked: 13, refused: 14 },
};
const metrics = (): Metrics =>
  new Metrics({
    version: '1.2.3',
    plane: () => Promise.resolve({ edge, traffic: [], uncaught: 0, workers: [], lost: 0 }),
    storeWritable: () => true,
    certificates: () => [{ certificate: 'authority', notAfter: 1_700_000_000_000 }],
    acme: () => ({
      served: 15,
      missing: 16,
      soonestEnd: 1_800_000_000_000,
      issued: 17,
      failed: new Map([['DNS_ERROR', 18]]),
    }),
    accessLinesLost: () => 19,
    failedAuthentications: () => ({ agent: 20, api: 21 }),
    uncaught: () => 7,
    process: () => ({ residentBytes: 1, cpuSeconds: 2.5, startedAt: 3 }),
  });

test('the text format: help, type, labels escaped', () => {
  const samples = [{ labels: { path: 'a"b\\c\nd' }, value: 1 }, { value: 2.5 }];
  expect(exposition([{ name: 'x_total', kind: 'counter', help: 'two\nlines', samples }])).toBe(
    '# HELP x_total two\\nlines\n# TYPE x_total counter\nx_total{path="a\\"b\\\\c\\nd"} 1\nx_total 2.5\n',
  );
});

test('buckets of a histogram are cumulative, their bounds inclusive', () => {
  const histogram = new Histogram([1, 10]);
  for (const value of [1, 2, 10, 11]) histogram.observe(value);
  expect(histogram.samples()).toEqual([
    { suffix: '_bucket', labels: { le: '1' }, value: 1 },
    { suffix: '_bucket', labels: { le: '10' }, value: 3 },
    { suffix: '_bucket', labels: { le: '+Inf' }, value: 4 },
    { suffix: '_sum', value: 24 },
    { suffix: '_count', value: 4 },
  ]);
});

test('traffic is counted by class, kind and code, without hosts or ids', async () => {
  const counted = metrics();
  counted.observe(event({}));
  counted.observe(event({ status: 502, errorCode: 'ERR_NGROK_8012', durationMs: 30 }));
  counted.observe(event({ status: 0 }));
  counted.observe(event({ kind: 'tcp', bytesIn: 1, bytesOut: 1 }));
  counted.observe(event({ kind: 'tls', bytesIn: 1, bytesOut: 1 }));
  const text = await counted.text();
  for (const line of [
    'postern_build_info{version="1.2.3"} 1',
    'postern_http_requests_total{status="2xx"} 1',
    'postern_http_requests_total{status="5xx"} 1',
    'postern_http_requests_total{status="none"} 1',
    'postern_http_request_seconds_bucket{le="0.005"} 2',
    'postern_http_request_seconds_count 3',
    'postern_connections_total{kind="tcp"} 1',
    'postern_connections_total{kind="tls"} 1',
    'postern_visitor_bytes_total{direction="in"} 32',
    'postern_visitor_bytes_total{direction="out"} 302',
    'postern_errors_total{code="ERR_NGROK_8012"} 1',
    'postern_agent_sessions 1',
    'postern_refused_connections_total 4',
    'postern_visitor_connections 3',
    'postern_listener_connections{listener="agents"} 7',
    'postern_listener_refused_connections_total{listener="https"} 3',
    'postern_store_writable 1',
    'postern_access_log_lost_lines_total 19',
    'postern_failed_authentications_total{door="api"} 21',
    'postern_acme_certificates{state="missing"} 16',
    'postern_acme_soonest_not_after_seconds 1800000000',
    'postern_acme_failed_total{code="DNS_ERROR"} 18',
    'process_cpu_seconds_total 2.5',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
  expect(text).not.toMatch(/a\.test|ep_1|ac_1/);
});

describe('the listener', () => {
  let close: () => void = () => {};
  afterEach(() => close());
  const start = async (readiness: () => Readiness): Promise<string> => {
    const server = createMetricsServer({ metrics: () => metrics().text(), readiness });
    const port = await listen(server, { host: '127.0.0.1', port: 0 });
    close = () => server.close();
    return `http://127.0.0.1:${port}`;
  };

  test('tells metrics, that it lives, and whether it is ready', async () => {
    let state: Readiness = { ready: false, reason: 'starting' };
    const url = await start(() => state);
    const answer = async (path: string): Promise<[number, string]> => {
      const response = await fetch(`${url}${path}`, { headers: { connection: 'close' } });
      return [response.status, await response.text()];
    };
    expect(await answer('/healthz')).toEqual([200, 'ok\n']);
    expect(await answer('/readyz')).toEqual([503, 'starting\n']);
    state = { ready: true };
    expect(await answer('/readyz?verbose')).toEqual([200, 'ready\n']);
    expect((await answer('/metrics'))[1]).toContain('# TYPE postern_http_requests_total counter');
    expect(await answer('/')).toEqual([404, 'Here are /metrics, /healthz and /readyz.\n']);
  });
});
