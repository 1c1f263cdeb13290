const HEAD_BYTES = 9;
const DATA = 0;
const HEADERS = 1;
const END_STREAM = 1;
/** Ends that nobody has asked for yet; a service cannot have more streams under way by far. */
const MOST = 4_096;

/**
 * Reads the frame heads that a service sends, for what `node:http2` does not tell: whether an answer ended by END_STREAM
 * or was broken off by a reset with NO_ERROR (RFC 9113 §8.1). Both are an `end` of its stream there.
 */
export class EndWatch {
  readonly #ended = new Set<number>();
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #have = 0;
  /** Payload bytes of the frame that are still to come. */
  #payload = 0;

  read(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#payload > 0) {
        const passed = Math.min(this.#payload, chunk.length - at);
        this.#payload -= passed;
        at += passed;
        continue;
      }
      const taken = chunk.copy(this.#head, this.#have, at, at + HEAD_BYTES - this.#have);
      this.#have += taken;
      at += taken;
      if (this.#have === HEAD_BYTES) this.#frame();
    }
  }

  /** Whether the stream's END_STREAM has come; it is asked once. */
  take(id: number): boolean {
    return this.#ended.delete(id);
  }

  #frame(): void {
    this.#have = 0;
    this.#payload = this.#head.readUIntBE(0, 3);
    const type = this.#head[3];
    if ((type !== DATA && type !== HEADERS) || ((this.#head[4] ?? 0) & END_STREAM) === 0) return;
    this.#ended.add(this.#head.readUInt32BE(5) & 0x7fff_ffff);
    if (this.#ended.size <= MOST) return;
    for (const oldest of this.#ended) {
      this.#ended.delete(oldest);
      return;
    }
  }
}
