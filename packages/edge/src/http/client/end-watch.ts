import type { UnreadPieces } from './unread-pieces.ts';

const HEAD_BYTES = 9;
const DATA = 0;
const HEADERS = 1;
const CONTINUATION = 9;
const END_STREAM = 1;
const END_HEADERS = 4;
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
  /** The stream that this frame ends when all of it has come; 0 = none. */
  #ends = 0;
  /** The stream that ends with the last CONTINUATION of the head under way; 0 = none. */
  #block = 0;
  /** The stream of the DATA frame under way; 0 = it is another one. */
  #data = 0;
  readonly #unread: UnreadPieces;

  /** @param unread is told of each piece of DATA */
  constructor(unread: UnreadPieces) {
    this.#unread = unread;
  }

  read(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#payload > 0) {
        const passed = Math.min(this.#payload, chunk.length - at);
        this.#payload -= passed;
        if (this.#data !== 0) this.#unread.came(this.#data);
        at += passed;
        if (this.#payload === 0) this.#whole();
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
    const [type, flags = 0] = this.#head.subarray(3, 5);
    const id = this.#head.readUInt32BE(5) & 0x7fff_ffff;
    this.#data = type === DATA ? id : 0;
    const endStream = (flags & END_STREAM) !== 0;
    const endHeaders = (flags & END_HEADERS) !== 0;
    if (type === HEADERS) this.#block = endStream && !endHeaders ? id : 0;
    if (type === DATA || type === HEADERS) this.#ends = endStream && (type === DATA || endHeaders) ? id : 0;
    else this.#ends = type === CONTINUATION && endHeaders && id === this.#block ? id : 0;
    if (this.#payload === 0) this.#whole();
  }

  #whole(): void {
    if (this.#ends === 0) return;
    this.#ended.add(this.#ends);
    this.#ends = 0;
    if (this.#ended.size <= MOST) return;
    for (const oldest of this.#ended) {
      this.#ended.delete(oldest);
      return;
    }
  }
}
