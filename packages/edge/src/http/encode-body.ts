/**
 * A response body on its way through content encoders (`compress-response`). Streaming bodies are flushed with each
 * piece, so that server-sent events and long polls stay live; bodies of known length are packed tight.
 */
import { constants, createBrotliCompress, createDeflate, createGzip, type Zlib } from 'node:zlib';
import type { Transform } from 'node:stream';
import type { BodyCoding } from './policy-views.ts';

type Encoder = Transform & Zlib;

export interface EncodedBodyOwner {
  /** @returns false when it should pause until `resume` */
  encoded(chunk: Buffer): boolean;
  /** The encoder wants more after `write` answered false. */
  wantsMore(): void;
  ended(): void;
  failed(error: Error): void;
}

export class EncodedBody {
  private readonly first: Encoder;
  private readonly last: Encoder;
  private readonly all: Encoder[];
  private over = false;

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
    return this.over || this.first.write(Buffer.from(chunk.subarray(start, end)));
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

function createEncoder(coding: BodyCoding, streaming: boolean): Encoder {
  if (coding === 'br') {
    const flush = streaming ? constants.BROTLI_OPERATION_FLUSH : constants.BROTLI_OPERATION_PROCESS;
    return createBrotliCompress({ flush, params: BROTLI });
  }
  const flush = streaming ? constants.Z_SYNC_FLUSH : constants.Z_NO_FLUSH;
  return coding === 'gzip' ? createGzip({ flush }) : createDeflate({ flush });
}
