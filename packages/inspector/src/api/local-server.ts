import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApiProblem, sendProblem } from './answer.ts';
import type { Guard } from './guard.ts';
import { type Route, Router } from './route.ts';

/** Next ports that are tried when one is taken. */
const TRIES = 100;
const MOST_CONNECTIONS = 256;
const HEAD_BYTES = 32_768;

export interface LocalServer {
  /** `127.0.0.1:4040` */
  readonly addr: string;
  close(): Promise<void>;
}

export interface LocalServerOptions {
  /** `host:port`; a port that is taken leads to the next. */
  readonly addr: string;
  readonly routes: readonly Route[];
  readonly guard: Guard;
  readonly onFault: (error: unknown) => void;
}

/** @throws Error that says why there can be none */
export async function startLocalServer(options: LocalServerOptions): Promise<LocalServer> {
  const router = new Router(options.routes);
  const server = http.createServer({ maxHeaderSize: HEAD_BYTES, requestTimeout: 30_000, headersTimeout: 10_000 });
  server.maxConnections = MOST_CONNECTIONS;
  server.on('request', (request, response) => {
    serve(router, options.guard, request, response).catch((error: unknown) => {
      if (error instanceof ApiProblem) return sendProblem(response, error);
      if (response.destroyed || request.destroyed) return undefined;
      options.onFault(error);
      return sendProblem(response, new ApiProblem(500, 'the agent made a mistake', 'see its log'));
    });
  });
  const [host, port] = splitAddr(options.addr);
  await listen(server, host, port);
  const bound = server.address();
  return {
    addr: addressText(bound),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function serve(router: Router, guard: Guard, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = 'GET', url = '/' } = request;
  const question = url.indexOf('?');
  const found = router.find(question < 0 ? url : url.slice(0, question));
  const refusal = guard.refusal(request, found?.route.page === true && method === 'GET');
  if (refusal !== null) throw new ApiProblem(403, 'forbidden', refusal);
  if (found === null) throw new ApiProblem(404, 'not found', `there is nothing at ${url.slice(0, 200)}`);
  const asked = method === 'HEAD' ? 'GET' : method;
  const handler = asked === 'GET' || asked === 'POST' || asked === 'DELETE' ? found.route[asked] : undefined;
  if (handler === undefined) {
    response.setHeader('allow', ['GET', 'POST', 'DELETE'].filter((each) => each in found.route).join(', '));
    throw new ApiProblem(405, 'method not allowed', `${method} is not for ${url.slice(0, 200)}`);
  }
  await handler({
    request,
    response,
    params: found.params,
    query: new URLSearchParams(question < 0 ? '' : url.slice(question + 1)),
  });
}

async function listen(server: http.Server, host: string, port: number): Promise<void> {
  for (let next = port; ; next++) {
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host, port: next, exclusive: true }, () => {
          server.off('error', reject);
          resolve();
        });
      });
      return;
    } catch (error) {
      const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
      if (!taken || next - port >= TRIES || next >= 65_535) throw error;
    }
  }
}

/** @throws Error for what is no address */
export function splitAddr(addr: string): readonly [host: string, port: number] {
  const [, bracketed, plain, port = ''] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(addr) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > 65_535) throw new Error(`web_addr: "${addr}" is not of the form host:port`);
  return [host === '' ? '0.0.0.0' : host === 'localhost' ? '127.0.0.1' : host, Number(port)];
}

function addressText(address: AddressInfo | string | null): string {
  if (address === null || typeof address === 'string') return '';
  return address.family === 'IPv6' ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`;
}
