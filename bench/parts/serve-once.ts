/** The least that a server can do for a connection: one read, one answer, the end. */
import type { Server, Socket } from 'node:net';

const BODY = 'hello from the upstream\n';
const HELLO = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
  'latin1',
);

export function serveOnce(socket: Socket): void {
  socket.on('error', () => socket.destroy());
  socket.on('data', () => socket.end(HELLO));
}

export function tellPort(server: Server): void {
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    console.log(typeof address === 'object' && address !== null ? address.port : 0);
  });
}
