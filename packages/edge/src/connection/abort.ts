import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** Ends a socket the hard way, by RST, so that the visitor does not take a cut for an end. */
export function abort(socket: Socket): void {
  if (socket.destroyed) return;
  if (!(socket instanceof TLSSocket)) {
    socket.resetAndDestroy();
    return;
  }
  // The connection under TLS; the runtime has no public way to it.
  const under: unknown = Reflect.get(socket, '_parent');
  if (under instanceof Socket && !under.destroyed) under.resetAndDestroy();
  socket.destroy();
}
