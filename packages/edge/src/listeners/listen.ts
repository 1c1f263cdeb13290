/** Listening sockets. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { ListenAddress } from '../context.ts';

const BACKLOG = 4_096;
/** Tries to find one free port on several addresses at once. */
const PORT_TRIES = 20;

export interface Listening {
  /** As bound: never port 0. Optional addresses that this machine does not have are left out. */
  readonly addresses: readonly ListenAddress[];
  /** Accepts nothing more; accepted connections live on. */
  close(): void;
}

/**
 * Listens on every address. When several have port 0 they all get the same free port, so that `localhost:<port>` works
 * over IPv4 and IPv6.
 * @throws the system's error, its message naming the address
 */
export async function listen(
  addresses: readonly ListenAddress[],
  onConnection: (socket: Socket) => void,
): Promise<Listening> {
  for (let attempt = 1; ; attempt++) {
    const servers: Server[] = [];
    const bound: ListenAddress[] = [];
    try {
      let shared = 0;
      for (const { host, port, optional = false } of addresses) {
        const server = await bind({ host, port: port === 0 ? shared : port, optional }, onConnection);
        if (server === null) continue;
        servers.push(server);
        const actual = boundPort(server);
        if (port === 0) shared = actual;
        bound.push({ host, port: actual });
      }
      return { addresses: bound, close: () => servers.forEach((server) => server.close()) };
    } catch (error) {
      for (const server of servers) server.close();
      const retry = isCode(error, 'EADDRINUSE') && servers.length > 0 && addresses.every(({ port }) => port === 0);
      if (!retry || attempt === PORT_TRIES) throw error;
    }
  }
}

/** null: an optional address that this machine does not have (`::1` without IPv6). */
async function bind(address: ListenAddress, onConnection: (socket: Socket) => void): Promise<Server | null> {
  // Half-closed connections are served to their end (docs/design.md §3).
  const server = createServer({ allowHalfOpen: true, noDelay: true }, onConnection);
  server.listen({ host: address.host, port: address.port, backlog: BACKLOG });
  try {
    await once(server, 'listening');
  } catch (error) {
    if (address.optional === true && (isCode(error, 'EADDRNOTAVAIL') || isCode(error, 'EAFNOSUPPORT'))) return null;
    throw error;
  }
  // Errors after listening concern single accepts (out of file descriptors); the listener lives on.
  server.on('error', () => {});
  return server;
}

function boundPort(server: Server): number {
  const address = server.address();
  return address !== null && typeof address === 'object' ? address.port : 0;
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
