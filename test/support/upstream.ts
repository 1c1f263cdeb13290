/** Small upstreams for tests; each on a free loopback port, each closed by its test. */
import http from 'node:http';
import http2 from 'node:http2';
import net, { type AddressInfo } from 'node:net';

export interface Upstream {
  readonly port: number;
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  close(): Promise<void>;
}

/** A Node HTTP server with Node's own defaults (5 s keep-alive). */
export async function httpUpstream(
  handler: http.RequestListener,
): Promise<Upstream & { readonly server: http.Server }> {
  const server = http.createServer(handler);
  const listening = await listen(server, () => server.closeAllConnections());
  return { ...listening, server };
}

/** Echoes bytes until the peer ends. */
export function tcpEcho(greeting = ''): Promise<Upstream> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    if (greeting !== '') socket.write(greeting);
    socket.pipe(socket);
  });
  return listen(server, () => {
    for (const socket of sockets) socket.destroy();
  });
}

/** HTTP/2 without TLS (prior knowledge). */
export async function http2Upstream(
  onStream: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void,
): Promise<Upstream> {
  const server = http2.createServer();
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    session.on('error', () => session.destroy());
  });
  server.on('stream', onStream);
  return listen(server, () => {
    for (const session of sessions) session.destroy();
  });
}

async function listen(server: net.Server, cut: () => void): Promise<Upstream> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        cut();
      }),
  };
}
