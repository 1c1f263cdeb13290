/** A mux over a local socket between two edges. */
import type { Socket } from 'node:net';
import { type MuxSession, MuxErrorCode, pumpMux } from '@postern/protocol';
import { readIntoSlab } from '../connection/slab-reader.ts';

/** Its output, to be told by the session's `onOutput`. */
export interface PeerOutput {
  announced(): void;
}

/**
 * Everything that a turn of the loop has to say leaves in one write behind it: a visitor's bytes are a frame among those
 * of others, and a system call each would be what the way across costs most.
 * @param onFault what a frame led to has thrown
 * @param onClosed once, when the socket is gone and every stream has been told
 */
export function carryPeer(
  socket: Socket,
  mux: MuxSession,
  onFault: (error: unknown) => void,
  onClosed: () => void,
): PeerOutput {
  const pump = pumpMux(mux, { write: (buffer, done) => void socket.write(buffer, done) });
  let scheduled = false;
  const flush = (): void => {
    scheduled = false;
    pump.flush();
  };
  readIntoSlab(socket, (buffer, length) => {
    try {
      mux.receive(buffer, 0, length);
      if (mux.ended) socket.destroy();
    } catch (error) {
      onFault(error);
      socket.destroy();
    }
  });
  socket.on('end', () => socket.destroy());
  // 'close' follows, and tells all that matters.
  socket.on('error', () => {});
  socket.once('close', () => {
    if (!mux.ended) mux.wireEnded('the other edge is gone');
    onClosed();
  });
  socket.resume();
  return {
    announced() {
      if (scheduled) return;
      scheduled = true;
      setImmediate(flush);
    },
  };
}

/** Ends it, streams and all. */
export function cutPeer(socket: Socket, mux: MuxSession): void {
  mux.destroy(MuxErrorCode.sessionClosed, 'the edge stops');
  socket.destroy();
}
