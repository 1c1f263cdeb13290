/**
 * The bytes that one stream still has to send: a queue of the writers' own buffers, copied once, into the frame.
 */
export class SendQueue {
  #chunks: Buffer[] = [];
  /** Index of the first chunk not yet used up, and how much of it is. */
  #head = 0;
  #headOffset = 0;
  /** Bytes queued. */
  length = 0;

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
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
      chunk.copy(target, at, this.#headOffset, this.#headOffset + taken);
      at += taken;
      left -= taken;
      this.#headOffset += taken;
      if (this.#headOffset === chunk.length) this.#dropHead();
    }
  }

  /** If the newest chunk is `chunk`, replaces what is left of it by a copy. */
  own(chunk: Buffer): void {
    const last = this.#chunks.length - 1;
    if (last < this.#head || this.#chunks[last] !== chunk) return;
    const from = last === this.#head ? this.#headOffset : 0;
    this.#chunks[last] = Buffer.from(chunk.subarray(from));
    if (last === this.#head) this.#headOffset = 0;
  }

  clear(): void {
    this.#chunks = [];
    this.#head = 0;
    this.#headOffset = 0;
    this.length = 0;
  }

  #dropHead(): void {
    this.#headOffset = 0;
    this.#head += 1;
    if (this.#head === this.#chunks.length) {
      this.#chunks.length = 0;
      this.#head = 0;
    } else if (this.#head >= 32 && this.#head * 2 >= this.#chunks.length) {
      this.#chunks.splice(0, this.#head);
      this.#head = 0;
    } else {
      // The buffer may be large; do not hold it until the array is compacted.
      this.#chunks[this.#head - 1] = EMPTY;
    }
  }
}

const EMPTY = Buffer.alloc(0);
