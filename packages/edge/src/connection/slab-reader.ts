/**
 * Reads a socket into one buffer that all sockets of the process share, instead of a fresh one of 64 KiB per read. That
 * is less work for malloc, and above all less garbage: memory of buffers counts against V8's limit for what is outside
 * its heap, so every 64 MiB of traffic would cost a full collection of everything that the server holds. A socket that
 * a server accepted has no public way to ask for it (`onread` exists for sockets that dial only), so this uses the
 * runtime's own fields when all of them are there, and plain 'data' events otherwise.
 */
import type { Duplex } from 'node:stream';
import { dealRead, type ReadCallback } from '@postern/sockets';

/** TLS hands out records of at most 16 KiB; plain sockets fill it (docs/performance.md). */
const SLAB_BYTES = 65_536;
let slab: Buffer | null = null;

interface Keys {
  readonly buffer: symbol;
  readonly callback: symbol;
}

/** The same for all sockets of a runtime; undefined = not looked for yet, null = not there. */
let keys: Keys | null | undefined;
/** Sockets that are read by events. */
const listeners = new WeakMap<Duplex, (chunk: Buffer) => void>();

/**
 * Hands what arrives to `onBytes`, in place of the callback given before. The flow is stopped and started by `pause`
 * and `resume`; bytes that are in the stream already are handed over at once.
 */
export function readIntoSlab(socket: Duplex, onBytes: ReadCallback): void {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (!hasUserBuffer(handle)) return readByEvents(socket, onBytes);
  keys ??= findKeys(socket);
  if (keys === null) return readByEvents(socket, onBytes);
  const shared = (slab ??= Buffer.allocUnsafeSlow(SLAB_BYTES));
  Reflect.set(socket, keys.callback, (length: number) => {
    dealRead(onBytes, shared, length);
    return true;
  });
  if (Reflect.get(socket, keys.buffer) === shared) return;
  Reflect.set(socket, keys.buffer, shared);
  handle.useUserBuffer(shared);
  for (let early: unknown = socket.read(); early instanceof Buffer; early = socket.read()) onBytes(early, early.length);
}

/** Whether nothing of it is read any more once it has been paused: then another process may read it. */
export function readsWhenAsked(socket: Duplex): boolean {
  return keys !== undefined && keys !== null && slab !== null && Reflect.get(socket, keys.buffer) === slab;
}

function readByEvents(socket: Duplex, onBytes: ReadCallback): void {
  const before = listeners.get(socket);
  if (before !== undefined) socket.off('data', before);
  const listener = (chunk: Buffer): void => dealRead(onBytes, chunk, chunk.length);
  listeners.set(socket, listener);
  socket.on('data', listener);
}

function findKeys(socket: Duplex): Keys | null {
  const symbols = Object.getOwnPropertySymbols(socket);
  const buffer = symbols.find(({ description }) => description === 'kBuffer');
  const callback = symbols.find(({ description }) => description === 'kBufferCb');
  return buffer === undefined || callback === undefined ? null : { buffer, callback };
}

function hasUserBuffer(handle: unknown): handle is { useUserBuffer(buffer: Buffer): void } {
  return (
    typeof handle === 'object' &&
    handle !== null &&
    'useUserBuffer' in handle &&
    typeof handle.useUserBuffer === 'function'
  );
}
