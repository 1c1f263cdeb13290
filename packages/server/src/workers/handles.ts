/** Sockets as processes hand them to each other: what the runtime has under a Socket, so that nobody begins to read it. */
import { Socket } from 'node:net';

/** Sent as it is; it stays open here until it is closed. (The types know of a Socket only.) */
export type Handle = Socket & { close(): void };

export function isHandle(value: unknown): value is Handle {
  return typeof value === 'object' && value !== null && 'close' in value && typeof value.close === 'function';
}

/** @returns null when the socket is gone */
export function handleOf(socket: Socket): Handle | null {
  const handle: unknown = Reflect.get(socket, '_handle');
  return isHandle(handle) ? handle : null;
}

/** A Socket as accepted ones are: it is read from now on. */
export function socketOf(handle: Handle): Socket {
  // The runtime's own way to make one of what it has accepted.
  // oxlint-disable-next-line no-unsafe-type-assertion
  const socket = new Socket({ handle, allowHalfOpen: true } as object);
  socket.setNoDelay(true);
  return socket;
}
