/** A body on its way through one of the runtime's transforms: encoders, decoders. */
import type { Transform } from 'node:stream';
import type { BodyFilter, FilterMaker, FilterOutput } from '@postern/policy';
import { returnSlab, SLAB_BYTES, takeSlab } from '@postern/sockets';

/** One piece is at work, and there is one chunk of output: more is fetched when both are gone. */
export const ONE_PIECE = { writableHighWaterMark: 1, readableHighWaterMark: 16_384 };

/** Output for one slab, also of bytes that cannot be packed. What is never written to takes no memory. */
export const OUTPUT_BYTES = SLAB_BYTES + 1_024;

/** @param make with the options of `ONE_PIECE` */
export function transformedBy(make: (live: boolean) => Transform): FilterMaker {
  return { keepsLength: false, make: (output, live) => new TransformedBody(make(live), output) };
}

/**
 * What comes is copied into pooled slabs, which pass the transform one after the other: a buffer for each piece would be
 * garbage faster than it is collected, and a few dozen visitors who stop to read would hold tens of megabytes of it.
 */
class TransformedBody implements BodyFilter {
  readonly #transform: Transform;
  readonly #output: FilterOutput;
  #over = false;
  #ending = false;
  /** The source has been asked to wait. */
  #full = false;
  /** What waits: all slabs are full but the last, which holds `#used` bytes. */
  readonly #slabs: Buffer[] = [];
  #used = SLAB_BYTES;
  /** The slab that the transform works on. */
  #lent: Buffer | null = null;

  constructor(transform: Transform, output: FilterOutput) {
    this.#transform = transform;
    this.#output = output;
    transform.on('data', (chunk: Buffer) => {
      if (!this.#over && !output.body(chunk, 0, chunk.length)) transform.pause();
    });
    transform.on('end', () => {
      if (this.#over) return;
      this.#over = true;
      output.end();
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
    for (let from = start; from < end;) {
      const slab = this.#room();
      const taken = chunk.copy(slab, this.#used, from, end);
      this.#used += taken;
      from += taken;
    }
    this.#next();
    this.#full = this.#lent !== null;
    return !this.#full;
  }

  end(): void {
    if (this.#over) return;
    this.#ending = true;
    if (this.#lent === null) this.#transform.end();
  }

  resume(): void {
    this.#transform.resume();
  }

  destroy(): void {
    this.#over = true;
    this.#slabs.length = 0;
    // The one at work is left to the collector: the thread that reads it may not be through.
    this.#lent = null;
    this.#transform.destroy();
  }

  #room(): Buffer {
    const last = this.#slabs.at(-1);
    if (last !== undefined && this.#used < SLAB_BYTES) return last;
    const slab = takeSlab();
    this.#slabs.push(slab);
    this.#used = 0;
    return slab;
  }

  #next(): void {
    if (this.#lent !== null) return;
    const slab = this.#slabs.shift();
    if (slab === undefined) return;
    const length = this.#slabs.length === 0 ? this.#used : SLAB_BYTES;
    if (this.#slabs.length === 0) this.#used = SLAB_BYTES;
    this.#lent = slab;
    reuseOutput(this.#transform);
    this.#transform.write(length === SLAB_BYTES ? slab : slab.subarray(0, length), this.#givenBack);
  }

  readonly #givenBack = (error?: Error | null): void => {
    const slab = this.#lent;
    if (this.#over || error || slab === null) return;
    this.#lent = null;
    returnSlab(slab);
    this.#next();
    if (this.#lent !== null) return;
    if (this.#ending) this.#transform.end();
    else if (this.#full) {
      this.#full = false;
      this.#output.drained();
    }
  };
}

/**
 * The runtime cuts output from one buffer after another. Between two pieces, when all that came out has been copied, the
 * same one can be begun again: bytes that are sent once should not each be memory that waits for the collector. The
 * field is the runtime's own; without it there is more garbage and nothing else. Call it only while no piece is at work.
 */
function reuseOutput(transform: Transform): void {
  if (transform.readableLength > 0 || typeof Reflect.get(transform, '_outOffset') !== 'number') return;
  Reflect.set(transform, '_outOffset', 0);
}
