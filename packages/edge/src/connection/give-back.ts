/**
 * Gives a peeked ClientHello to the TLS that ends here. The runtime keeps what TLS brings in a ring of buffers that live
 * as long as the connection. The first has 1 KiB, or the size of what it is given first where that is more, and when
 * one is filled to its end the ring gets 16 KiB more. A hello with a post-quantum key share has 1.5 KiB and more:
 * given in one piece it fills its buffer, and each idle visitor holds 16 KiB that nobody uses (docs/performance.md).
 */
import type { Socket } from 'node:net';

/** Leaves room in the first buffer. */
const PIECE_BYTES = 1_000;

/** @param socket paused, nothing of it unread; who takes it over reads until nothing is left, as the runtime's TLS does */
export function giveBack(socket: Socket, bytes: Buffer): void {
  let given = 0;
  const next = (): void => {
    if (given >= bytes.length) {
      socket.off('data', next);
      return;
    }
    const piece = bytes.subarray(given, given + PIECE_BYTES);
    given += piece.length;
    socket.unshift(piece);
  };
  // Told of each piece as it is read, and so of when to give the next.
  if (bytes.length > PIECE_BYTES) socket.on('data', next);
  next();
}
