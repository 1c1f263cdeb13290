import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { EXPOSITION_TYPE } from './exposition.ts';

/** What the metrics listener tells. */
export interface MetricsPages {
  readonly metrics: () => Promise<string>;
  readonly readiness: () => Readiness;
}

/** Whether the server can do its work, and why not. */
export type Readiness = { readonly ready: true } | { readonly ready: false; readonly reason: string };

/** `/metrics`, `/healthz` (the process runs) and `/readyz` (it takes traffic and can write). */
export function createMetricsServer(pages: MetricsPages): Server {
  return createServer((request, response) => void reply(request, response, pages));
}

async function reply(request: IncomingMessage, response: ServerResponse, pages: MetricsPages): Promise<void> {
  try {
    const { status, text, type = 'text/plain; charset=utf-8' } = await answer(request.url ?? '/', pages);
    response.writeHead(status, {
      'content-type': type,
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
    });
    response.end(request.method === 'HEAD' ? undefined : text);
  } catch {
    response.destroy();
  }
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly type?: string;
}

async function answer(url: string, { metrics, readiness }: MetricsPages): Promise<Answer> {
  switch (url.split('?')[0]) {
    case '/metrics':
      return { status: 200, text: await metrics(), type: EXPOSITION_TYPE };
    case '/healthz':
      return { status: 200, text: 'ok\n' };
    case '/readyz': {
      const state = readiness();
      return state.ready ? { status: 200, text: 'ready\n' } : { status: 503, text: `${state.reason}\n` };
    }
    default:
      return { status: 404, text: 'Here are /metrics, /healthz and /readyz.\n' };
  }
}

/** At once, whoever is connected. */
export async function closeServers(servers: readonly Server[]): Promise<void> {
  await Promise.all(
    servers.map((server) => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    }),
  );
}
