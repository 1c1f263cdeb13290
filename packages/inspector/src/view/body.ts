import { isUtf8 } from 'node:buffer';
import zlib from 'node:zlib';
import { fieldOf, type WireMessage } from './wire-message.ts';

/** A body may unfold to this and no further: a few bytes can stand for gigabytes. */
const MOST_BYTES = 4 * 1024 * 1024;

export interface DecodedBody {
  readonly bytes: Buffer;
  /** Why `bytes` are those of the wire although the message names an encoding. */
  readonly problem?: string;
}

const OPTIONS = { maxOutputLength: MOST_BYTES, finishFlush: zlib.constants.Z_SYNC_FLUSH };
const DECODERS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: (bytes) => zlib.gunzipSync(bytes, OPTIONS),
  'x-gzip': (bytes) => zlib.gunzipSync(bytes, OPTIONS),
  deflate: (bytes) => zlib.inflateSync(bytes, OPTIONS),
  br: (bytes) =>
    zlib.brotliDecompressSync(bytes, {
      maxOutputLength: MOST_BYTES,
      finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH,
    }),
  zstd: (bytes) =>
    zlib.zstdDecompressSync(bytes, { maxOutputLength: MOST_BYTES, finishFlush: zlib.constants.ZSTD_e_flush }),
};

/** Content codings removed; of a body that was cut, what can be read of it. */
export function decodeBody(message: WireMessage): DecodedBody {
  const codings = (fieldOf(message.fields, 'content-encoding') ?? '')
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity');
  if (message.body.length === 0) return { bytes: message.body };
  let bytes = message.body;
  // One after the other would let each unfold what the one before has unfolded.
  if (codings.length > 2) return { bytes, problem: 'more than two content codings' };
  for (const coding of codings.toReversed()) {
    const decode = DECODERS[coding];
    if (decode === undefined) return { bytes: message.body, problem: `the content coding ${coding} is not known` };
    try {
      bytes = decode(bytes);
    } catch (error) {
      return { bytes: message.body, problem: `${coding}: ${error instanceof Error ? error.message : String(error)}` };
    }
  }
  return { bytes };
}

/** The body as text, where it is that; a character that was cut at the end does not count. */
export function textOf(bytes: Buffer, contentType: string, truncated = false): string | undefined {
  if (/charset=["']?(?:iso-8859-1|latin1|windows-1252)/i.test(contentType)) return bytes.toString('latin1');
  for (let cut = 0; cut <= (truncated ? Math.min(3, bytes.length) : 0); cut++) {
    const whole = bytes.subarray(0, bytes.length - cut);
    if (isUtf8(whole)) return whole.some(isControl) ? undefined : whole.toString('utf8');
  }
  return undefined;
}

/** What no text has: controls other than tab, line ends, form feed and escape. */
function isControl(byte: number): boolean {
  return byte < 32 && byte !== 9 && byte !== 10 && byte !== 12 && byte !== 13 && byte !== 27;
}
