/** The beginning of an answer's body, as a browser would read it. */
import { brotliDecompressSync, constants, unzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';

/** Four thousand bytes may stand for millions; of those the first are looked at. */
const MOST_DECODED = 8 * 1024 * 1024;
const LOOKED_AT = 16_384;

/** @returns bytes, one to a character; null when the coding is not known here, or the body is not in it */
export function decodedStart(start: Buffer, coding: string): string | null {
  try {
    return decoded(start, coding.trim().toLowerCase())?.toString('latin1', 0, LOOKED_AT) ?? null;
  } catch {
    return null;
  }
}

/** What is cut off at its end is decoded as far as it goes. */
function decoded(start: Buffer, coding: string): Buffer | null {
  const zlib = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: MOST_DECODED };
  switch (coding) {
    case '':
    case 'identity':
      return start;
    case 'gzip':
    case 'x-gzip':
      return start.length === 0 ? start : unzipSync(start, zlib);
    case 'deflate':
      return start.length === 0 ? start : inflateSync(start, zlib);
    case 'br':
      return brotliDecompressSync(start, {
        finishFlush: constants.BROTLI_OPERATION_FLUSH,
        maxOutputLength: MOST_DECODED,
      });
    case 'zstd':
      return zstdDecompressSync(start, { finishFlush: constants.ZSTD_e_flush, maxOutputLength: MOST_DECODED });
    default:
      return null;
  }
}
