import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Server as SecureServer } from 'node:https';
import { type AddressInfo, Server as NetServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { fail } from '@postern/errors';
import { errorAnswer } from './pipeline/envelope.ts';

type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;

export type AnyServer = Server | SecureServer;

export interface ListenersOptions {
  readonly handler: RequestHandler;
  readonly operationId: () => string;
}

/** The HTTP servers that carry the API: several addresses may lead to one. */
export interface Listeners {
  /** `start` makes the server that it gets listen. Rejects as that does. */
  listen(start: (server: Server) => Promise<void>): Promise<AddressInfo>;
  /** Serves the API on a server that someone else made (for TLS, say) and binds; `close` closes it too. */
  attach(server: AnyServer): void;
  readonly closing: boolean;
  /**
   * Stops accepting, answers what has been asked by then, at most `graceMs`, then cuts what is left. Connections without
   * a call get FIN, and are cut a second later.
   */
  close(graceMs: number): Promise<void>;
}

interface Connections {
  readonly open: Set<Duplex>;
  /** Calls in flight per connection: bytes of an error must not go between the bytes of an answer. */
  readonly busy: Map<Duplex, number>;
}

const MAX_HEADER_BYTES = 64 * 1024;
const HEADERS_DEADLINE_MS = 15_000;
const REQUEST_DEADLINE_MS = 60_000;
const IDLE_MS = 75_000;
/** At a stop: for requests that have arrived and are not read yet; between looks at calls in flight; to close after FIN. */
const UNREAD_MS = 50;
const UNREAD_TURNS = 32;
const BUSY_EVERY_MS = 20;
const PARTING_MS = 1_000;

export function createListeners(options: ListenersOptions): Listeners {
  const servers = new Map<AnyServer, Connections>();
  let closing = false;

  const attach = (server: AnyServer): void => {
    const connections: Connections = { open: new Set(), busy: new Map() };
    const { open, busy } = connections;
    servers.set(server, connections);
    server.on(server instanceof SecureServer ? 'secureConnection' : 'connection', (socket: Duplex) => {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
    });
    const serve: RequestHandler = (request, response) => {
      const { socket } = request;
      // It has been given its end, so an answer could not leave: what is not answered must not be done.
      if (socket.writableEnded) {
        socket.destroy();
        return;
      }
      busy.set(socket, (busy.get(socket) ?? 0) + 1);
      response.once('close', () => {
        const left = (busy.get(socket) ?? 1) - 1;
        if (left > 0) busy.set(socket, left);
        else busy.delete(socket);
      });
      if (request.headers.host === undefined && request.httpVersion === '1.1') {
        refuseRequest(response, 'it has no Host header', options.operationId());
        return;
      }
      options.handler(request, response);
    };
    server.on('request', serve);
    // An expectation other than 100-continue, which node would answer by itself with an empty 417.
    server.on('checkExpectation', serve);
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
      if (error.code === 'ECONNRESET' || !socket.writable || busy.has(socket)) {
        socket.destroy();
        return;
      }
      refuse(socket, reasonOf(error), options.operationId());
    });
  };

  return {
    get closing() {
      return closing;
    },
    attach,
    listen: openServer,
    async close(graceMs) {
      closing = true;
      await Promise.all(Array.from(servers, ([server, connections]) => stop(server, connections, graceMs)));
    },
  };

  async function openServer(start: (server: Server) => Promise<void>): Promise<AddressInfo> {
    const server = createServer({
      maxHeaderSize: MAX_HEADER_BYTES,
      // Checked by us: node's own answer has no body.
      requireHostHeader: false,
      headersTimeout: HEADERS_DEADLINE_MS,
      requestTimeout: REQUEST_DEADLINE_MS,
      keepAliveTimeout: IDLE_MS,
    });
    attach(server);
    try {
      await start(server);
    } catch (error) {
      servers.delete(server);
      throw error;
    }
    // From here on errors concern single accepts (out of file descriptors); the listener lives on.
    server.on('error', () => {});
    const address = server.address();
    if (address === null || typeof address === 'string') throw new TypeError('the API listens on TCP ports only');
    return address;
  }
}

async function stop(server: AnyServer, { open, busy }: Connections, graceMs: number): Promise<void> {
  if (!server.listening) return;
  // Not the HTTP server's own close, which cuts connections whose request has arrived and is not read yet.
  const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()));
  if (open.size > 0) await pause(UNREAD_MS);
  for (let turn = 0; turn < UNREAD_TURNS; turn += 1) await setImmediate();
  const end = performance.now() + graceMs;
  while (busy.size > 0 && performance.now() < end) {
    for (const socket of open) if (!busy.has(socket)) socket.end();
    await pause(BUSY_EVERY_MS);
  }
  const cut = setTimeout(() => server.closeAllConnections(), busy.size > 0 ? 0 : PARTING_MS);
  for (const socket of open) if (!busy.has(socket)) socket.end();
  void wholly(server, closed, cut);
}

async function wholly(server: AnyServer, closed: Promise<void>, cut: NodeJS.Timeout): Promise<void> {
  await closed;
  clearTimeout(cut);
  // For the rest of what it does: its timers.
  server.close();
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function reasonOf(error: NodeJS.ErrnoException): string {
  if (error.code === 'HPE_HEADER_OVERFLOW') return `its head has more than ${MAX_HEADER_BYTES / 1024} KiB`;
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'it was not complete in time';
  return 'it is not well-formed HTTP/1.1';
}

function refuseRequest(response: ServerResponse, reason: string, operationId: string): void {
  const { status, body } = errorAnswer(fail(90073, { reason }), operationId);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'ngrok-operation-id': operationId,
    connection: 'close',
  });
  response.end(body);
}

/** Answers what never became a request, in the same envelope as everything else, and ends the connection. */
function refuse(socket: Duplex, reason: string, operationId: string): void {
  const { status, body } = errorAnswer(fail(90073, { reason }), operationId);
  socket.end(
    `HTTP/1.1 ${status} Bad Request\r\n` +
      'Content-Type: application/json; charset=utf-8\r\n' +
      `Content-Length: ${Buffer.byteLength(body)}\r\n` +
      `Ngrok-Operation-Id: ${operationId}\r\n` +
      'Connection: close\r\n\r\n' +
      body,
    () => socket.destroy(),
  );
}
