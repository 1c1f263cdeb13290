/** Services behind agents, in tests. */
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { raise } from './no-link.ts';

export function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : raise();
}

/** A server on a free port; `await using` ends it with its connections. */
export interface Service extends AsyncDisposable {
  readonly port: number;
}

export async function listening(server: Server): Promise<Service> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    // The agent resets its connection when a visitor leaves, which is no mistake of the test's.
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: portOf(server),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const nodeService = (listener: RequestListener): Promise<Service> => listening(createHttpServer(listener));

export const rawService = (onSocket: (socket: Socket) => void): Promise<Service> =>
  listening(createServer({ allowHalfOpen: true }, onSocket));
