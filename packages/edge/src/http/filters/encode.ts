/**
 * A response body on its way through content encoders (`compress-response`). Streaming bodies are flushed with each
 * piece, so that server-sent events and long polls stay live; bodies of known length are packed tight.
 */
import { constants, createBrotliCompress, createDeflate, createGzip, type Zlib } from 'node:zlib';
import type { Transform } from 'node:stream';
import type { BodyCoding } from '../policy/views.ts';

type Encoder = Transform & Zlib;

export interface EncodedBodyOwner {
  /** @returns false when it should pause until `resume` */
  encoded(chunk: Buffer): boolean;
  /** The encoder wants more after `write` answered false. */
  wantsMore(): void;
  ended(): void;
  failed(error: Error): void;
}

const EMPTY = Buffer.alloc(0);

export class EncodedBody {
  private readonly first: Encoder;
  private readonly last: Encoder;
  private readonly all: Encoder[];
  private over = false;
  /** Holds the piece at work; a new buffer for each would be garbage faster than it is collected. */
  private piece = EMPTY;
  private lent = false;
  private readonly givenBack = (): void => {
    this.lent = false;
  };

  constructor(codings: readonly [BodyCoding, ...BodyCoding[]], streaming: boolean, owner: EncodedBodyOwner) {
    const [coding, ...others] = codings;
    this.first = createEncoder(coding, streaming);
    this.all = [this.first];
    let last = this.first;
    for (const other of others) {
      const next = createEncoder(other, streaming);
      last.pipe(next);
      this.all.push(next);
      last = next;
    }
    this.last = last;
    last.on('data', (chunk: Buffer) => {
      if (!this.over && !owner.encoded(chunk)) last.pause();
    });
    last.on('end', () => {
      if (this.over) return;
      this.over = true;
      owner.ended();
    });
    this.first.on('drain', () => {
      if (!this.over) owner.wantsMore();
    });
    for (const encoder of this.all) {
      encoder.on('error', (error: Error) => {
        if (this.over) return;
        this.destroy();
        owner.failed(error);
      });
    }
  }

  /** Copies. @returns false when the source should wait for `wantsMore` */
  write(chunk: Buffer, start: number, end: number): boolean {
    if (this.over) return true;
    // Bytes that were under way when the source was asked to pause wait in a buffer of their own.
    if (this.lent) return this.first.write(Buffer.from(chunk.subarray(start, end)));
    const length = end - start;
    if (this.piece.length < length) this.piece = Buffer.allocUnsafeSlow(length);
    chunk.copy(this.piece, 0, start, end);
    this.lent = true;
    return this.first.write(this.piece.subarray(0, length), this.givenBack);
  }

  end(): void {
    if (!this.over) this.first.end();
  }

  resume(): void {
    this.last.resume();
  }

  destroy(): void {
    this.over = true;
    for (const encoder of this.all) encoder.destroy();
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

function createEncoder(coding: BodyCoding, streaming: boolean): Encoder {
  if (coding === 'br') {
    const flush = streaming ? constants.BROTLI_OPERATION_FLUSH : constants.BROTLI_OPERATION_PROCESS;
    return createBrotliCompress({ flush, params: BROTLI, ...ONE_PIECE });
  }
  const flush = streaming ? constants.Z_SYNC_FLUSH : constants.Z_NO_FLUSH;
  const options = { flush, ...ONE_PIECE };
  return coding === 'gzip' ? createGzip(options) : createDeflate(options);
}
