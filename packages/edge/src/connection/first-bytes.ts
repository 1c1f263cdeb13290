/**
 * Waits for the first bytes of a connection and hands them on in the call in which they come, read into the buffer that
 * all sockets share: for protocols that one look at them tells apart, there is nothing to collect and to give back.
 */
import type { Socket } from 'node:net';
import type { TimerHandle, TimerWheel } from '../context.ts';
import { readIntoSlab } from './slab-reader.ts';

/**
 * @param onBytes runs once: with the bytes, valid during the call only, and it has the socket from then on; with null
 *   when the time is up or the client has gone, and the socket is still to be closed. It must not throw.
 */
export function awaitFirstBytes(
  socket: Socket,
  wheel: TimerWheel,
  ms: number,
  onBytes: (bytes: Buffer | null) => void,
): void {
  new FirstBytes(socket, wheel, ms, onBytes).start();
}

class FirstBytes {
  readonly #socket: Socket;
  readonly #timer: TimerHandle;
  readonly #onBytes: (bytes: Buffer | null) => void;
  #over = false;

  constructor(socket: Socket, wheel: TimerWheel, ms: number, onBytes: (bytes: Buffer | null) => void) {
    this.#socket = socket;
    this.#onBytes = onBytes;
    this.#timer = wheel.schedule(ms, this.#nothing);
  }

  start(): void {
    const socket = this.#socket;
    socket.on('end', this.#nothing);
    socket.on('close', this.#nothing);
    readIntoSlab(socket, this.#read);
    if (this.#over) return;
    if (socket.destroyed || socket.readableEnded) this.#nothing();
    else socket.resume();
  }

  readonly #read = (buffer: Buffer, length: number): void => {
    if (length > 0) this.#settle(buffer.subarray(0, length));
  };

  readonly #nothing = (): void => this.#settle(null);

  #settle(bytes: Buffer | null): void {
    if (this.#over) return;
    this.#over = true;
    this.#timer.cancel();
    this.#socket.off('end', this.#nothing);
    this.#socket.off('close', this.#nothing);
    this.#onBytes(bytes);
  }
}
