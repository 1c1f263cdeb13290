/** One direction of a connection of HTTP/2 (RFC 9113 §4), as far as it has to be read to show messages. */

const HEAD_BYTES = 9;
/** Of a header block with its continuations, and of any frame that is read whole. */
const MOST_WHOLE = 256 * 1024;
const TYPE = { data: 0, headers: 1, reset: 3, settings: 4, promise: 5, continuation: 9 } as const;
const FLAG = { end: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;
const PRIORITY_BYTES = 5;

export interface Http2Events {
  /** A whole header block. `isPromise`: of a request that the service makes up, which is not shown. */
  onBlock(stream: number, block: Buffer, isEnd: boolean, isPromise: boolean): void;
  /** Valid during the call. */
  onData(stream: number, chunk: Buffer, start: number, end: number): void;
  onEnd(stream: number): void;
  onReset(stream: number): void;
  /** SETTINGS_HEADER_TABLE_SIZE of whoever sends this direction: for the blocks of the other one. */
  onTableSize(bytes: number): void;
}

/** What breaks the framing, or is larger than anybody looks at. */
class Http2Unreadable extends Error {}

/** Data is passed on as it comes; what is read whole is gathered, within a bound. */
export class Http2Frames {
  readonly #events: Http2Events;
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #headBytes = 0;
  #type = 0;
  #flags = 0;
  #stream = 0;
  /** Of the frame's payload, still to come. */
  #left = 0;
  /** Of it the padding at its end; -1 = its length is the next byte. */
  #padding = 0;
  #whole: Buffer[] = [];
  /** A block that goes on in the next frame. */
  #block:
    | {
        readonly stream: number;
        readonly parts: Buffer[];
        bytes: number;
        readonly isEnd: boolean;
        readonly isPromise: boolean;
      }
    | undefined = undefined;

  constructor(events: Http2Events) {
    this.#events = events;
  }

  /** @throws Http2Unreadable */
  push(chunk: Buffer, start: number): void {
    let at = start;
    while (at < chunk.length)
      at = this.#headBytes < HEAD_BYTES ? this.#takeHead(chunk, at) : this.#takePayload(chunk, at);
  }

  #takeHead(chunk: Buffer, at: number): number {
    const taken = chunk.copy(this.#head, this.#headBytes, at, at + HEAD_BYTES - this.#headBytes);
    this.#headBytes += taken;
    if (this.#headBytes < HEAD_BYTES) return at + taken;
    this.#left = this.#head.readUIntBE(0, 3);
    this.#type = this.#head[3] ?? 0;
    this.#flags = this.#head[4] ?? 0;
    this.#stream = this.#head.readUInt32BE(5) & 0x7f_ff_ff_ff;
    this.#padding = this.#type === TYPE.data && (this.#flags & FLAG.padded) !== 0 ? -1 : 0;
    if (this.#block !== undefined && (this.#type !== TYPE.continuation || this.#stream !== this.#block.stream))
      throw new Http2Unreadable('a header block is interrupted');
    if (this.#isWhole && this.#left > MOST_WHOLE) throw new Http2Unreadable('a frame that is too large');
    if (this.#left === 0) this.#done();
    return at + taken;
  }

  get #isWhole(): boolean {
    return (
      this.#type === TYPE.headers ||
      (this.#type >= TYPE.reset && this.#type <= TYPE.promise) ||
      this.#type === TYPE.continuation
    );
  }

  #takePayload(chunk: Buffer, start: number): number {
    let at = start;
    if (this.#padding < 0) {
      this.#padding = chunk[at] ?? 0;
      this.#left -= 1;
      at += 1;
      if (this.#padding > this.#left) throw new Http2Unreadable('more padding than frame');
    }
    const end = Math.min(chunk.length, at + this.#left);
    const dataEnd = Math.min(end, at + this.#left - this.#padding);
    if (this.#type === TYPE.data && dataEnd > at) this.#events.onData(this.#stream, chunk, at, dataEnd);
    else if (this.#isWhole) this.#whole.push(Buffer.from(chunk.subarray(at, end)));
    this.#left -= end - at;
    if (this.#left === 0) this.#done();
    return end;
  }

  #done(): void {
    this.#headBytes = 0;
    const payload = this.#whole.length === 1 ? (this.#whole[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#whole);
    this.#whole = [];
    const isEnd = (this.#flags & FLAG.end) !== 0;
    switch (this.#type) {
      case TYPE.data:
        if (isEnd) this.#events.onEnd(this.#stream);
        return;
      case TYPE.headers:
        return this.#begin(
          this.#unpadded(payload, (this.#flags & FLAG.priority) === 0 ? 0 : PRIORITY_BYTES),
          isEnd,
          false,
        );
      case TYPE.promise:
        return this.#begin(this.#unpadded(payload, 4), false, true);
      case TYPE.continuation:
        return this.#goOn(payload);
      case TYPE.reset:
        return this.#events.onReset(this.#stream);
      case TYPE.settings:
        if (!isEnd)
          for (let at = 0; at + 6 <= payload.length; at += 6)
            if (payload.readUInt16BE(at) === 1) this.#events.onTableSize(payload.readUInt32BE(at + 2));
        return;
      default:
    }
  }

  /** @param skip bytes before the block */
  #unpadded(payload: Buffer, skip: number): Buffer {
    const isPadded = (this.#flags & FLAG.padded) !== 0;
    const start = skip + (isPadded ? 1 : 0);
    const end = payload.length - (isPadded ? (payload[0] ?? 0) : 0);
    if (end < start) throw new Http2Unreadable('a header frame without its block');
    return payload.subarray(start, end);
  }

  #begin(part: Buffer, isEnd: boolean, isPromise: boolean): void {
    this.#block = { stream: this.#stream, parts: [], bytes: 0, isEnd, isPromise };
    this.#goOn(part);
  }

  #goOn(part: Buffer): void {
    const block = this.#block;
    if (block === undefined) throw new Http2Unreadable('a continuation of nothing');
    block.parts.push(part);
    block.bytes += part.length;
    if (block.bytes > MOST_WHOLE) throw new Http2Unreadable('a header block that is too large');
    if ((this.#flags & FLAG.endHeaders) === 0) return;
    this.#block = undefined;
    this.#events.onBlock(block.stream, Buffer.concat(block.parts), block.isEnd, block.isPromise);
  }
}
