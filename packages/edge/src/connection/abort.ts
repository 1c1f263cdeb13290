import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** For an end that is on its way: over TLS it may have to wait for a peer who reads nothing. */
const END_MS = 1_000;

const fresh = new WeakSet<Socket>();

/**
 * In the turn in which a handshake has ended, the runtime is still at work on the connection under TLS, and a reset of
 * that one ends the process (a segmentation fault): until the next turn `abort` waits.
 */
export function abortLater(socket: TLSSocket): void {
  fresh.add(socket);
  setImmediate(() => fresh.delete(socket));
}

/** Ends a socket the hard way, by RST, so that the visitor does not take a cut for an end. */
export function abort(socket: Socket): void {
  if (socket.destroyed) return;
  if (fresh.has(socket)) {
    setImmediate(() => abort(socket));
    return;
  }
  if (endsNow(socket)) {
    // The system resets no socket whose end it is about to send, and the runtime would never close that one.
    const late = setTimeout(() => socket.destroy(), END_MS);
    socket.once('finish', () => reset(socket));
    socket.once('close', () => clearTimeout(late));
    return;
  }
  reset(socket);
}

/** Nothing waits to be written any more, and the end has not been. */
function endsNow({ writableEnded, writableFinished, writableLength }: Socket): boolean {
  return writableEnded && !writableFinished && writableLength === 0;
}

function reset(socket: Socket): void {
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
