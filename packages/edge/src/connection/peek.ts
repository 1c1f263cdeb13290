/** Looks at the first bytes of a socket before anybody owns them. */
import type { Socket } from 'node:net';
import type { TimerWheel } from '../context.ts';

/** No protocol that is recognised here needs more. */
const MOST_BYTES = 131_072;

export interface Peeked<T> {
  readonly result: T;
  /** Everything read so far, in order, to give back or to hand on. */
  readonly bytes: Buffer;
}

/**
 * Reads until `examine` (fed with each chunk) gives something other than null; the socket is paused afterwards.
 * @returns null when the time is up, the client is gone or has sent too much; the socket is still to be closed
 */
export function peek<T>(
  socket: Socket,
  wheel: TimerWheel,
  ms: number,
  examine: (chunk: Buffer) => T | null,
): Promise<Peeked<T> | null> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const leave = (): void => {
      timer.cancel();
      socket.pause();
      socket.off('data', onData);
      socket.off('end', onEnd);
      socket.off('close', onEnd);
    };
    const settle = (result: T | null): void => {
      leave();
      if (result === null) return resolve(null);
      const [first] = chunks;
      resolve({ result, bytes: chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, length) });
    };
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      length += chunk.length;
      try {
        const result = examine(chunk);
        if (result !== null) settle(result);
        else if (length > MOST_BYTES) settle(null);
      } catch (error) {
        leave();
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    };
    const onEnd = (): void => settle(null);
    const timer = wheel.schedule(ms, onEnd);
    socket.on('data', onData);
    socket.on('end', onEnd);
    socket.on('close', onEnd);
    if (socket.destroyed || socket.readableEnded) settle(null);
    else socket.resume();
  });
}
