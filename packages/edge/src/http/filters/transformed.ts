/** A body on its way through one of the runtime's transforms: encoders, decoders. */
import type { Transform } from 'node:stream';
import type { BodyFilter, FilterMaker, FilterOutput } from '@postern/policy';
import { Pieces } from '../exchange/pieces.ts';

/** One piece waits or is at work, and one chunk of output: more is fetched when both are gone. */
export const ONE_PIECE = { writableHighWaterMark: 1, readableHighWaterMark: 16_384 };

const EMPTY = Buffer.alloc(0);

/** @param make with the options of `ONE_PIECE` */
export function transformedBy(make: (live: boolean) => Transform): FilterMaker {
  return { keepsLength: false, make: (output, live) => new TransformedBody(make(live), output) };
}

class TransformedBody implements BodyFilter {
  readonly #transform: Transform;
  #over = false;
  /** Holds the piece at work; a new buffer for each would be garbage faster than it is collected. */
  #piece = EMPTY;
  #lent = false;
  /** What was under way when the source was asked to pause. */
  readonly #waiting = new Pieces();
  readonly #givenBack = (): void => {
    this.#lent = false;
    if (!this.#over) this.#flush();
  };

  constructor(transform: Transform, output: FilterOutput) {
    this.#transform = transform;
    transform.on('data', (chunk: Buffer) => {
      if (!this.#over && !output.body(chunk, 0, chunk.length)) transform.pause();
    });
    transform.on('end', () => {
      if (this.#over) return;
      this.#over = true;
      output.end();
    });
    transform.on('drain', () => {
      if (!this.#over) output.drained();
    });
    transform.on('error', (error: Error) => {
      if (this.#over) return;
      this.destroy();
      output.failed(error);
    });
  }

  /** Copies. @returns false when the source should wait for `drained` */
  body(chunk: Buffer, start: number, end: number): boolean {
    if (this.#over) return true;
    if (this.#lent) {
      this.#waiting.add(chunk, start, end);
      return false;
    }
    const length = end - start;
    if (this.#piece.length < length) this.#piece = Buffer.allocUnsafeSlow(length);
    chunk.copy(this.#piece, 0, start, end);
    this.#lent = true;
    return this.#transform.write(this.#piece.subarray(0, length), this.#givenBack);
  }

  end(): void {
    if (this.#over) return;
    this.#flush();
    this.#transform.end();
  }

  resume(): void {
    this.#transform.resume();
  }

  destroy(): void {
    this.#over = true;
    this.#transform.destroy();
  }

  #flush(): void {
    for (const part of this.#waiting.take()) this.#transform.write(part);
  }
}
