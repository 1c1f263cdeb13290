/**
 * A response body on its way through content encoders (`compress-response`). Streaming bodies are flushed with each
 * piece, so that server-sent events and long polls stay live; bodies of known length are packed tight.
 */
import { constants, createBrotliCompress, createDeflate, createGzip } from 'node:zlib';
import type { Transform } from 'node:stream';
import type { FilterMaker } from '@postern/policy';
import { ONE_PIECE, OUTPUT_BYTES, transformedBy } from './transformed.ts';

export type BodyCoding = 'gzip' | 'deflate' | 'br';

/** One maker for each coding: they keep nothing. */
export const ENCODERS: Readonly<Record<BodyCoding, FilterMaker>> = {
  gzip: encoderOf('gzip'),
  deflate: encoderOf('deflate'),
  br: encoderOf('br'),
};

function encoderOf(coding: BodyCoding): FilterMaker {
  return transformedBy((live) => createEncoder(coding, live));
}

/**
 * Quality 5 costs about what gzip 6 does; the default 11 is for files that are packed once. A window of 64 KiB is twice
 * gzip's, packs better than it, and takes 0.8 MB for each answer under way; the default of 4 MiB takes 9 MB, which any
 * visitor who does not read could hold.
 */
const BROTLI = {
  [constants.BROTLI_PARAM_QUALITY]: 5,
  [constants.BROTLI_PARAM_LGWIN]: 16,
  [constants.BROTLI_PARAM_LGBLOCK]: 16,
};

function createEncoder(coding: BodyCoding, live: boolean): Transform {
  if (coding === 'br') {
    const flush = live ? constants.BROTLI_OPERATION_FLUSH : constants.BROTLI_OPERATION_PROCESS;
    return createBrotliCompress({ flush, params: BROTLI, chunkSize: OUTPUT_BYTES, ...ONE_PIECE });
  }
  const flush = live ? constants.Z_SYNC_FLUSH : constants.Z_NO_FLUSH;
  const options = { flush, chunkSize: OUTPUT_BYTES, ...ONE_PIECE };
  return coding === 'gzip' ? createGzip(options) : createDeflate(options);
}
