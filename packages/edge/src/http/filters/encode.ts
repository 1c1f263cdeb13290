/**
 * A response body on its way through content encoders (`compress-response`). Streaming bodies are flushed with each
 * piece, so that server-sent events and long polls stay live; bodies of known length are packed tight.
 */
import { constants, createBrotliCompress, createDeflate, createGzip, type Zlib } from 'node:zlib';
import type { Transform } from 'node:stream';
import type { BodyFilter, FilterMaker, FilterOutput } from '@postern/policy';
import { Pieces } from '../exchange/pieces.ts';

export type BodyCoding = 'gzip' | 'deflate' | 'br';
type Encoder = Transform & Zlib;

const EMPTY = Buffer.alloc(0);

/** One maker for each coding: they keep nothing. */
export const ENCODERS: Readonly<Record<BodyCoding, FilterMaker>> = {
  gzip: encoderOf('gzip'),
  deflate: encoderOf('deflate'),
  br: encoderOf('br'),
};

function encoderOf(coding: BodyCoding): FilterMaker {
  return { keepsLength: false, make: (output, live) => new EncodedBody(coding, live, output) };
}

class EncodedBody implements BodyFilter {
  private readonly encoder: Encoder;
  private over = false;
  /** Holds the piece at work; a new buffer for each would be garbage faster than it is collected. */
  private piece = EMPTY;
  private lent = false;
  /** What was under way when the source was asked to pause. */
  private readonly waiting = new Pieces();
  private readonly givenBack = (): void => {
    this.lent = false;
    if (!this.over) this.flush();
  };

  constructor(coding: BodyCoding, live: boolean, output: FilterOutput) {
    const encoder = createEncoder(coding, live);
    this.encoder = encoder;
    encoder.on('data', (chunk: Buffer) => {
      if (!this.over && !output.body(chunk, 0, chunk.length)) encoder.pause();
    });
    encoder.on('end', () => {
      if (this.over) return;
      this.over = true;
      output.end();
    });
    encoder.on('drain', () => {
      if (!this.over) output.drained();
    });
    encoder.on('error', (error: Error) => {
      if (this.over) return;
      this.destroy();
      output.failed(error);
    });
  }

  /** Copies. @returns false when the source should wait for `drained` */
  body(chunk: Buffer, start: number, end: number): boolean {
    if (this.over) return true;
    if (this.lent) {
      this.waiting.add(chunk, start, end);
      return false;
    }
    const length = end - start;
    if (this.piece.length < length) this.piece = Buffer.allocUnsafeSlow(length);
    chunk.copy(this.piece, 0, start, end);
    this.lent = true;
    return this.encoder.write(this.piece.subarray(0, length), this.givenBack);
  }

  end(): void {
    if (this.over) return;
    this.flush();
    this.encoder.end();
  }

  private flush(): void {
    for (const part of this.waiting.take()) this.encoder.write(part);
  }

  resume(): void {
    this.encoder.resume();
  }

  destroy(): void {
    this.over = true;
    this.encoder.destroy();
  }
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

/** One piece waits or is at work, and one chunk of output: more is fetched when both are gone. */
const ONE_PIECE = { writableHighWaterMark: 1, readableHighWaterMark: 16_384 };

function createEncoder(coding: BodyCoding, live: boolean): Encoder {
  if (coding === 'br') {
    const flush = live ? constants.BROTLI_OPERATION_FLUSH : constants.BROTLI_OPERATION_PROCESS;
    return createBrotliCompress({ flush, params: BROTLI, ...ONE_PIECE });
  }
  const flush = live ? constants.Z_SYNC_FLUSH : constants.Z_NO_FLUSH;
  const options = { flush, ...ONE_PIECE };
  return coding === 'gzip' ? createGzip(options) : createDeflate(options);
}
