import { createServer, type Server } from 'node:http';
import { EXPOSITION_TYPE } from './exposition.ts';

/** What the metrics listener tells. */
export interface MetricsPages {
  readonly metrics: () => string;
  readonly readiness: () => Readiness;
}

/** Whether the server can do its work, and why not. */
export type Readiness = { readonly ready: true } | { readonly ready: false; readonly reason: string };

/** `/metrics`, `/healthz` (the process runs) and `/readyz` (it takes traffic and can write). */
export function createMetricsServer(pages: MetricsPages): Server {
  return createServer((request, response) => {
    const { status, text, type = 'text/plain; charset=utf-8' } = answer(request.url ?? '/', pages);
    response.writeHead(status, {
      'content-type': type,
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
    });
    response.end(request.method === 'HEAD' ? undefined : text);
  });
}

function answer(url: string, { metrics, readiness }: MetricsPages): { status: number; text: string; type?: string } {
  switch (url.split('?')[0]) {
    case '/metrics':
      return { status: 200, text: metrics(), type: EXPOSITION_TYPE };
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
