import type { Exchange, Message } from '../record/exchange.ts';
import type { Recorder } from '../record/recorder.ts';

/** Most bytes of a frame's head: two, eight of length, four of mask. */
const MOST_OF_HEAD = 14;

/** One direction of a WebSocket (RFC 6455 §5.2). Each frame is a message; payloads are kept unmasked. */
export class FrameWatch {
  readonly #recorder: Recorder;
  readonly #exchange: Exchange;
  readonly #fromVisitor: boolean;
  readonly #head = Buffer.alloc(MOST_OF_HEAD);
  #headBytes = 0;
  #frame: Message | undefined = undefined;
  /** Of the payload, still to come. */
  #left = 0;
  #inPayload = false;
  #masked = false;
  #mask = 0;
  /** Which byte of the mask is next. */
  #turn = 0;

  constructor(recorder: Recorder, exchange: Exchange, fromVisitor: boolean) {
    this.#recorder = recorder;
    this.#exchange = exchange;
    this.#fromVisitor = fromVisitor;
  }

  push(chunk: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end) at = this.#inPayload ? this.#takePayload(chunk, at, end) : this.#takeHead(chunk, at);
  }

  #takeHead(chunk: Buffer, at: number): number {
    this.#head[this.#headBytes++] = chunk[at] ?? 0;
    if (this.#headBytes < 2) return at + 1;
    const short = (this.#head[1] ?? 0) & 0x7f;
    const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
    this.#masked = (this.#head[1] ?? 0) >= 0x80;
    const whole = 2 + lengthBytes + (this.#masked ? 4 : 0);
    if (this.#headBytes < whole) return at + 1;
    this.#headBytes = 0;
    this.#left =
      lengthBytes === 8
        ? Number(this.#head.readBigUInt64BE(2))
        : lengthBytes === 2
          ? this.#head.readUInt16BE(2)
          : short;
    this.#mask = this.#masked ? this.#head.readUInt32BE(whole - 4) : 0;
    this.#turn = 0;
    this.#begin();
    if (this.#left === 0) this.#finish();
    else this.#inPayload = true;
    return at + 1;
  }

  #begin(): void {
    const first = this.#head[0] ?? 0;
    this.#frame = this.#recorder.message(this.#exchange, {
      kind: 'frame',
      fromVisitor: this.#fromVisitor,
      opcode: first & 0x0f,
      final: first >= 0x80,
      deflated: (first & 0x40) !== 0,
    });
  }

  #takePayload(chunk: Buffer, start: number, end: number): number {
    const stop = Math.min(end, start + this.#left);
    this.#left -= stop - start;
    const frame = this.#frame;
    if (frame !== undefined) {
      if (this.#masked) this.#keepUnmasked(frame, chunk, start, stop);
      else this.#recorder.keepOfMessage(frame, chunk, start, stop);
    }
    if (this.#left === 0) this.#finish();
    return stop;
  }

  #keepUnmasked(frame: Message, chunk: Buffer, start: number, end: number): void {
    // The chunk is also the service's: what is unmasked is a copy, of what will be kept.
    const length = Math.min(end - start, this.#recorder.roomOf(frame));
    const plain = Buffer.allocUnsafe(length);
    for (let at = 0; at < length; at++)
      plain[at] = (chunk[start + at] ?? 0) ^ ((this.#mask >>> (24 - 8 * ((this.#turn + at) & 3))) & 0xff);
    this.#turn = (this.#turn + end - start) & 3;
    this.#recorder.keepOfMessage(frame, plain, 0, length);
    frame.bytes += end - start - length;
  }

  #finish(): void {
    this.#inPayload = false;
    const frame = this.#frame;
    this.#frame = undefined;
    if (frame !== undefined) this.#recorder.messageDone(frame);
  }
}
