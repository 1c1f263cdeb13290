/**
 * Reads a TLS socket into one buffer that all agent sessions share, instead of a fresh one per record: less garbage,
 * and less CPU on downloads (perf-bulk.md §2, point 2). A socket that a server accepted has no public way to ask for
 * it (`onread` exists for client sockets only), so this uses the runtime's own fields when all of them are there, and
 * plain 'data' events otherwise.
 */
import type { Duplex } from 'node:stream';

/** TLS hands out records of at most 16 KiB. */
const SLAB_BYTES = 65_536;
let slab: Buffer | null = null;

/** @param onBytes gets `buffer[0..length)`, which is valid during the call only */
export function readIntoSlab(socket: Duplex, onBytes: (buffer: Buffer, length: number) => void): void {
  const handle: unknown = Reflect.get(socket, '_handle');
  const buffer = ownSymbol(socket, 'kBuffer');
  const callback = ownSymbol(socket, 'kBufferCb');
  if (buffer === undefined || callback === undefined || !hasUserBuffer(handle)) {
    socket.on('data', (chunk: Buffer) => onBytes(chunk, chunk.length));
    return;
  }
  const shared = (slab ??= Buffer.allocUnsafeSlow(SLAB_BYTES));
  Reflect.set(socket, buffer, shared);
  Reflect.set(socket, callback, (length: number) => {
    onBytes(shared, length);
    return true;
  });
  handle.useUserBuffer(shared);
  // Records that came with the handshake are in the stream already.
  for (let early: unknown = socket.read(); early instanceof Buffer; early = socket.read()) onBytes(early, early.length);
  socket.resume();
}

function ownSymbol(socket: Duplex, name: string): symbol | undefined {
  return Object.getOwnPropertySymbols(socket).find(({ description }) => description === name);
}

function hasUserBuffer(handle: unknown): handle is { useUserBuffer(buffer: Buffer): void } {
  return (
    typeof handle === 'object' &&
    handle !== null &&
    'useUserBuffer' in handle &&
    typeof handle.useUserBuffer === 'function'
  );
}
