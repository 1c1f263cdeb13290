import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { TrafficEvent } from '@postern/edge';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What the gauges read at scrape time. */
export interface LiveNumbers {
  readonly agentSessions: number;
  readonly agentStreams: number;
  readonly visitorConnections: number;
  readonly endpoints: number;
}

/** Prometheus metrics at the stages of the two machines; labels are bounded (no hosts, no ids). */
export class Metrics {
  readonly registry = new Registry();
  readonly #requests: Counter<'status'>;
  readonly #errors: Counter<'code'>;
  readonly #duration: Histogram;
  readonly #connections: Counter<'kind'>;
  readonly #bytes: Counter<'direction'>;

  constructor(live: () => LiveNumbers) {
    const registers = [this.registry];
    this.#requests = new Counter({
      name: 'postern_http_requests_total',
      help: 'Finished HTTP exchanges by status class',
      labelNames: ['status'],
      registers,
    });
    this.#errors = new Counter({
      name: 'postern_errors_total',
      help: 'Error pages by code',
      labelNames: ['code'],
      registers,
    });
    this.#duration = new Histogram({
      name: 'postern_http_request_seconds',
      help: 'Time from request head to finish',
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60],
      registers,
    });
    this.#connections = new Counter({
      name: 'postern_connections_total',
      help: 'Finished TCP and TLS connections',
      labelNames: ['kind'],
      registers,
    });
    this.#bytes = new Counter({
      name: 'postern_visitor_bytes_total',
      help: 'Bytes from (in) and to (out) visitors',
      labelNames: ['direction'],
      registers,
    });
    for (const [name, help, read] of GAUGES) {
      registers[0]?.registerMetric(
        new Gauge({
          name,
          help,
          registers: [],
          collect() {
            this.set(read(live()));
          },
        }),
      );
    }
  }

  observe(event: TrafficEvent): void {
    this.#bytes.inc({ direction: 'in' }, event.bytesIn);
    this.#bytes.inc({ direction: 'out' }, event.bytesOut);
    if (event.errorCode !== '') this.#errors.inc({ code: event.errorCode });
    if (event.kind === 'http') {
      this.#requests.inc({ status: event.status === 0 ? 'none' : `${Math.floor(event.status / 100)}xx` });
      this.#duration.observe(event.durationMs / 1000);
    } else {
      this.#connections.inc({ kind: event.kind });
    }
  }
}

const GAUGES: readonly (readonly [string, string, (numbers: LiveNumbers) => number])[] = [
  ['postern_agent_sessions', 'Agent sessions connected', (live) => live.agentSessions],
  ['postern_agent_streams', 'Streams open into agents', (live) => live.agentStreams],
  ['postern_visitor_connections', 'Visitor connections open', (live) => live.visitorConnections],
  ['postern_endpoints', 'Endpoints that the edge routes', (live) => live.endpoints],
];

/** Whether the server can do its work, and why not. */
export type Readiness = () => { readonly ready: boolean; readonly reason: string };

/** `/metrics`, `/healthz` (the process runs) and `/readyz` (it takes traffic and can write). */
export function createMetricsServer(metrics: Metrics, readiness: Readiness): Server {
  return createServer((request: IncomingMessage, response: ServerResponse) => {
    void answer(request, response, metrics, readiness);
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  metrics: Metrics,
  readiness: Readiness,
): Promise<void> {
  const send = (status: number, text: string, type = 'text/plain; charset=utf-8'): void => {
    response.writeHead(status, { 'content-type': type });
    response.end(text);
  };
  if (request.url === '/healthz') return send(200, 'ok\n');
  if (request.url === '/readyz') {
    const { ready, reason } = readiness();
    return send(ready ? 200 : 503, ready ? 'ready\n' : `${reason}\n`);
  }
  if (request.url !== '/metrics') return send(404, 'Here are /metrics, /healthz and /readyz.\n');
  try {
    send(200, await metrics.registry.metrics(), metrics.registry.contentType);
  } catch {
    send(500, 'the metrics could not be collected\n');
  }
}
