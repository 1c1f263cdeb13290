/** Last words for clients that speak the wrong protocol to a port, and how to say them. */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { PosternError } from '@postern/errors';
import type { TimerWheel } from '../context.ts';
import { ignore } from './pipe.ts';

/** Alert descriptions (RFC 8446 §6). */
export const Alert = {
  handshakeFailure: 40,
  accessDenied: 49,
  decodeError: 50,
  internalError: 80,
  unrecognizedName: 112,
} as const;

/** How long a client may take to read its answer and go. */
const LINGER_MS = 1_000;

/** A fatal TLS alert in a record of its own: what a client can understand before keys exist. */
export function tlsAlert(description: number): Buffer {
  return Buffer.from([21, 3, 3, 0, 2, 2, description]);
}

/** A complete HTTP/1.1 answer, after which the connection closes. */
export function httpAnswer(
  status: number,
  text: string,
  code = '',
  type = 'text/plain; charset=utf-8',
  fields: readonly string[] = [],
): Buffer {
  const body = `${text}\n${code === '' ? '' : `\n${code}\n`}`;
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}`,
    `content-type: ${type}`,
    `content-length: ${Buffer.byteLength(body)}`,
    ...(code === '' ? [] : [`ngrok-error-code: ${code}`]),
    ...fields,
    'connection: close',
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

/**
 * An error of the table as {@link httpAnswer}, with another status where the client could not act on the table's.
 * @param fields further lines of the head
 */
export function httpError(error: PosternError, status: number = error.status, fields: readonly string[] = []): Buffer {
  return httpAnswer(status, error.message, error.code, undefined, fields);
}

/**
 * Sends `bytes` and closes. What the client still sends is read and dropped for a moment: closing over unread bytes
 * would send RST, which can take the answer away again.
 */
export function sayAndClose(socket: Socket, bytes: Buffer, wheel: TimerWheel): void {
  if (socket.destroyed) return;
  const timer = wheel.schedule(LINGER_MS, () => socket.destroy());
  socket.on('error', ignore);
  socket.on('close', () => timer.cancel());
  socket.on('data', ignore);
  socket.end(bytes);
  socket.resume();
}
