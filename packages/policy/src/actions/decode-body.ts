/** Content-Encoding undone, up to a limit: a decoder is destroyed at it, so that a small body which unpacks to a large one costs no more. */
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import type { Transform } from 'node:stream';
import type { Room } from '../regex/replace-bytes.ts';

/** No service uses more than one. */
const MOST_CODINGS = 2;

/** How much a decoder takes and keeps at once. */
export interface DecoderOptions {
  readonly chunkSize: number;
  readonly writableHighWaterMark: number;
  readonly readableHighWaterMark: number;
}

/** What undoes each. */
export const CODINGS: Readonly<Record<string, (options?: DecoderOptions) => Transform>> = {
  gzip: (options) => createGunzip(options),
  'x-gzip': (options) => createGunzip(options),
  deflate: (options) => createInflate(options),
  br: (options) => createBrotliDecompress(options),
  zstd: (options) => createZstdDecompress(options),
};

/** @returns codings as they were applied; null when some of them is not known */
export function codingsOf(contentEncodings: readonly string[]): readonly string[] | null {
  const names = contentEncodings
    .join(',')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity');
  return names.length <= MOST_CODINGS && names.every((name) => Object.hasOwn(CODINGS, name)) ? names : null;
}

export async function decoded(
  body: Buffer,
  codings: readonly string[],
  room: Room,
): Promise<Buffer | 'too-large' | 'no-room' | 'undecodable'> {
  let bytes = body;
  for (const coding of codings.toReversed()) {
    const make = CODINGS[coding];
    if (make === undefined) return 'undecodable';
    const undone = await decodedBy(make(), bytes, room);
    if (typeof undone === 'string') return undone;
    bytes = undone;
  }
  return bytes;
}

function decodedBy(
  decoder: Transform,
  bytes: Buffer,
  room: Room,
): Promise<Buffer | 'too-large' | 'no-room' | 'undecodable'> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let length = 0;
    const end = (result: Buffer | 'too-large' | 'no-room' | 'undecodable'): void => {
      decoder.destroy();
      resolve(result);
    };
    decoder.on('data', (part: Buffer) => {
      length += part.length;
      if (length > room.most) end('too-large');
      // It is there twice when it is put together.
      else if (room.reserve(2 * part.length)) parts.push(part);
      else end('no-room');
    });
    decoder.on('end', () => end(Buffer.concat(parts)));
    decoder.on('error', () => end('undecodable'));
    decoder.end(bytes);
  });
}
