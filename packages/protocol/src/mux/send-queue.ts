import { returnSlab, SLAB_BYTES, takeSlab } from './slab-pool.ts';

/** Copies below this size come from Node's own small pool. */
const SMALL_COPY = 4_096;
/**
 * Behind this many chunks small ones are gathered: a buffer costs a hundred bytes and more however little is in it, and
 * whoever writes chooses how large they are.
 */
const MANY_CHUNKS = 64;
const SMALL_CHUNK = 1_024;
const GATHERED_BYTES = 16_384;
/** An idle stream keeps no more places than this for chunks to come. */
const KEPT_PLACES = 64;
const EMPTY = Buffer.alloc(0);

/**
 * The bytes that one stream still has to send: a queue of the writers' own buffers, copied once, into the frame. What a
 * writer could not leave here is copied into pooled slabs.
 */
export class SendQueue {
  #chunks: (Buffer | string)[] = [EMPTY];
  /** The pooled slab under the chunk of the same index, if there is one. */
  #slabs: (Buffer | undefined)[] = [undefined];
  /**
   * Index of the first chunk not yet used up, and how much of it is; and of the place for the next. Places are used again:
   * an array that is emptied by its length gets new memory with the next chunk. One place is there from the start: the
   * first chunk that is pushed to an empty array makes room for 17, and few streams ever have two.
   */
  #head = 0;
  #headOffset = 0;
  #tail = 0;
  /** Where the newest chunk lies, if it was gathered here and there may be room behind it. */
  #block: Buffer | null = null;
  /** Bytes queued. */
  length = 0;

  /** @param chunk text is latin1: it goes into the frame without a buffer of its own */
  push(chunk: Buffer | string): void {
    if (chunk.length === 0) return;
    if (chunk.length < SMALL_CHUNK && this.#tail - this.#head >= MANY_CHUNKS) return this.#gather(chunk);
    this.#block = null;
    this.#add(chunk);
    this.length += chunk.length;
  }

  #add(chunk: Buffer | string): void {
    this.#chunks[this.#tail] = chunk;
    this.#slabs[this.#tail] = undefined;
    this.#tail += 1;
  }

  #gather(given: Buffer | string): void {
    const chunk = typeof given === 'string' ? Buffer.from(given, 'latin1') : given;
    const last = this.#tail - 1;
    const used = this.#chunks[last]?.length ?? 0;
    if (this.#block === null || used + chunk.length > this.#block.length) {
      this.#block = Buffer.allocUnsafeSlow(GATHERED_BYTES);
      chunk.copy(this.#block);
      this.#add(this.#block.subarray(0, chunk.length));
    } else {
      chunk.copy(this.#block, used);
      this.#chunks[last] = this.#block.subarray(0, used + chunk.length);
    }
    this.length += chunk.length;
  }

  /** Moves exactly `count` bytes (at most {@link length}) to `target` at `at`. */
  moveTo(target: Buffer, at: number, count: number): void {
    this.length -= count;
    let left = count;
    while (left > 0) {
      const chunk = this.#chunks[this.#head];
      if (chunk === undefined) return;
      const taken = Math.min(left, chunk.length - this.#headOffset);
      if (typeof chunk !== 'string') chunk.copy(target, at, this.#headOffset, this.#headOffset + taken);
      else if (taken === chunk.length) target.write(chunk, at, 'latin1');
      else target.write(chunk.slice(this.#headOffset, this.#headOffset + taken), at, 'latin1');
      at += taken;
      left -= taken;
      this.#headOffset += taken;
      if (this.#headOffset === chunk.length) this.#dropHead();
    }
  }

  /** If the newest chunk is `chunk`, replaces what is left of it by a copy. */
  own(chunk: Buffer): void {
    const last = this.#tail - 1;
    if (last < this.#head || this.#chunks[last] !== chunk) return;
    const from = last === this.#head ? this.#headOffset : 0;
    const length = chunk.length - from;
    if (length < SMALL_COPY || length > SLAB_BYTES) {
      this.#chunks[last] = Buffer.from(chunk.subarray(from));
    } else {
      const slab = takeSlab();
      chunk.copy(slab, 0, from);
      this.#chunks[last] = slab.subarray(0, length);
      this.#slabs[last] = slab;
    }
    if (last === this.#head) this.#headOffset = 0;
  }

  clear(): void {
    this.#block = null;
    for (const slab of this.#slabs) if (slab !== undefined) returnSlab(slab);
    this.#chunks = [];
    this.#slabs = [];
    this.#head = 0;
    this.#headOffset = 0;
    this.#tail = 0;
    this.length = 0;
  }

  #dropHead(): void {
    const slab = this.#slabs[this.#head];
    if (slab !== undefined) {
      returnSlab(slab);
      this.#slabs[this.#head] = undefined;
    }
    // The buffer may be large; do not hold it until the place is used again.
    this.#chunks[this.#head] = EMPTY;
    this.#headOffset = 0;
    this.#head += 1;
    if (this.#head === this.#tail) {
      this.#block = null;
      this.#head = 0;
      this.#tail = 0;
      if (this.#chunks.length > KEPT_PLACES) {
        this.#chunks = [EMPTY];
        this.#slabs = [undefined];
      }
    } else if (this.#head >= 32 && this.#head * 2 >= this.#tail) {
      this.#chunks.splice(0, this.#head);
      this.#slabs.splice(0, this.#head);
      this.#tail -= this.#head;
      this.#head = 0;
    }
  }
}
