/** A block is as large as what is there already, up to this. */
const MOST_BLOCK = 65_536;

/**
 * Bytes that wait. Whoever sends them chooses how large the pieces are, and a buffer costs a hundred bytes and more
 * however little is in it: small ones are gathered in blocks, so that all of them take twice their bytes at most.
 */
export class Pieces {
  bytes = 0;
  #parts: Buffer[] = [];
  #block: Buffer | null = null;
  #used = 0;

  /** Copies `chunk[start..end)`. */
  add(chunk: Buffer, start: number, end: number): void {
    let at = start;
    if (this.#block !== null) {
      const fits = Math.min(this.#block.length - this.#used, end - at);
      chunk.copy(this.#block, this.#used, at, at + fits);
      this.#used += fits;
      at += fits;
    }
    if (at < end) {
      this.#seal();
      this.#block = Buffer.allocUnsafeSlow(Math.max(end - at, Math.min(MOST_BLOCK, this.bytes)));
      this.#used = chunk.copy(this.#block, 0, at, end);
    }
    this.bytes += end - start;
  }

  /** One more, which is not copied. */
  put(part: Buffer): void {
    this.#seal();
    this.#parts.push(part);
    this.bytes += part.length;
  }

  /** All of them in order; what is added later begins a part of its own. */
  get parts(): readonly Buffer[] {
    this.#seal();
    return this.#parts;
  }

  /** Forgets them. @returns all of them in order */
  take(): readonly Buffer[] {
    const { parts } = this;
    this.#parts = [];
    this.bytes = 0;
    return parts;
  }

  #seal(): void {
    if (this.#block === null) return;
    this.#parts.push(this.#block.subarray(0, this.#used));
    this.#block = null;
  }
}
