/** How a connection on which nothing is in flight ends when the server stops: FIN, and a second later the rest. */
import type { Socket } from 'node:net';
import type { TimerHandle, TimerWheel } from '../context.ts';
import { abort } from './abort.ts';

/** What a peer gets to close its side, after everything has left us. */
export const PARTING_MS = 1_000;
/** An answer of this size is with the peer by then, whether it reads or not. */
const SURELY_THERE = 65_536;

/**
 * Closes a socket whose FIN is queued behind its last bytes, a second after the system has taken these. With RST, so
 * that whoever does not look at the connection learns of its end; after a large answer without, since a reset would
 * take from the peer what the system still has to deliver.
 */
export function part(socket: Socket, wheel: TimerWheel): void {
  let timer: TimerHandle | null = null;
  const cut = (): void => {
    if (socket.bytesWritten > SURELY_THERE) socket.destroy();
    else abort(socket);
  };
  const wait = (): void => {
    timer = wheel.schedule(PARTING_MS, cut);
  };
  socket.once('close', () => timer?.cancel());
  if (socket.writableFinished) wait();
  else socket.once('finish', wait);
}
