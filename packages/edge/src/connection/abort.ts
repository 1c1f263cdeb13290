import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** Ends a socket the hard way: RST on plain TCP, so that the visitor does not take a cut for an end. */
export function abort(socket: Socket): void {
  if (socket.destroyed) return;
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}
