import { CLOSE, isSendable, OPCODE } from './frames.ts';

/** What a {@link WebSocketFrameReader} finds. */
export interface WebSocketFrameSink {
  /** The next bytes of binary messages, unmasked. The view is valid during the call only. */
  onPayload(chunk: Buffer): void;
  /** To be answered by a pong of the same bytes (RFC 6455 §5.5.3); they are the sink's. */
  onPing(payload: Buffer): void;
  /** The last frame. @param code as sent; 1005 = the frame has none */
  onClose(code: number): void;
}

/** Two bytes, eight of length, four of mask. */
const MOST_OF_HEAD = 14;
const MOST_OF_CONTROL = 125;

/**
 * Reads what a client sends on a WebSocket (RFC 6455 §5) and hands on the bytes of its binary messages as they come,
 * whatever the frames and messages were. Nothing is kept but the head of a frame and the payload of one control frame.
 */
export class WebSocketFrameReader {
  /** Why the connection cannot go on, as a status code (RFC 6455 §7.4.1); 0 = it can. */
  failure = 0;
  readonly #sink: WebSocketFrameSink;
  readonly #head = Buffer.alloc(MOST_OF_HEAD);
  #headBytes = 0;
  #opcode = 0;
  /** Of the payload under way, still to come; -1 = between frames. */
  #left = -1;
  /** Of a control frame; null = the payload is the message's. */
  #control: Buffer | null = null;
  readonly #mask = Buffer.alloc(4);
  /** Which byte of the mask is next. */
  #turn = 0;
  /** Its last frame has not come. */
  #inMessage = false;
  #over = false;

  constructor(sink: WebSocketFrameSink) {
    this.#sink = sink;
  }

  /** Bytes that have come end within a message. */
  get within(): boolean {
    return !this.#over && (this.#inMessage || this.#left !== -1 || this.#headBytes > 0);
  }

  /** @param chunk unmasked in place: its bytes are not to be used afterwards */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && this.failure === 0 && !this.#over) {
      at = this.#left === -1 ? this.#takeHead(chunk, at) : this.#takePayload(chunk, at);
    }
  }

  #takeHead(chunk: Buffer, at: number): number {
    const head = this.#head;
    head[this.#headBytes++] = chunk[at] ?? 0;
    if (this.#headBytes < 2) return at + 1;
    const short = head.readUInt8(1) & 0x7f;
    const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
    if (this.#headBytes === 2) this.failure = this.#wrongWith(head.readUInt8(0), head.readUInt8(1));
    if (this.failure !== 0 || this.#headBytes < 6 + lengthBytes) return at + 1;
    this.#headBytes = 0;
    const high = lengthBytes === 8 ? head.readUInt32BE(2) : 0;
    // Beyond 2^53 bytes nobody could count.
    if (high > 0x1f_ff_ff) this.failure = high >= 0x80_00_00_00 ? CLOSE.protocolError : CLOSE.tooBig;
    const low = lengthBytes === 8 ? head.readUInt32BE(6) : lengthBytes === 2 ? head.readUInt16BE(2) : short;
    this.#left = high * 0x1_00_00_00_00 + low;
    head.copy(this.#mask, 0, 2 + lengthBytes, 6 + lengthBytes);
    this.#turn = 0;
    this.#control = this.#opcode >= OPCODE.close ? Buffer.alloc(this.#left) : null;
    if (this.#left === 0) this.#frameOver();
    return at + 1;
  }

  /** @returns a status code, or 0. Judged before anything is allocated for the frame. */
  #wrongWith(first: number, second: number): number {
    const final = first >= 0x80;
    const opcode = first & 0x0f;
    this.#opcode = opcode;
    // No extension has been agreed on, and what clients send is masked (§5.1, §5.2).
    if ((first & 0x70) !== 0 || second < 0x80) return CLOSE.protocolError;
    if (opcode >= OPCODE.close) {
      const known = opcode <= OPCODE.pong && final && (second & 0x7f) <= MOST_OF_CONTROL;
      return known ? 0 : CLOSE.protocolError;
    }
    if (opcode === OPCODE.text) return CLOSE.unsupported;
    if (opcode > OPCODE.binary || (opcode === OPCODE.continuation) !== this.#inMessage) return CLOSE.protocolError;
    this.#inMessage = !final;
    return 0;
  }

  #takePayload(chunk: Buffer, start: number): number {
    const end = Math.min(chunk.length, start + this.#left);
    this.#unmask(chunk, start, end);
    const control = this.#control;
    if (control === null) this.#sink.onPayload(chunk.subarray(start, end));
    else chunk.copy(control, control.length - this.#left, start, end);
    this.#left -= end - start;
    if (this.#left === 0) this.#frameOver();
    return end;
  }

  #unmask(chunk: Buffer, start: number, end: number): void {
    const mask = this.#mask;
    let turn = this.#turn;
    for (let at = start; at < end; at++) {
      chunk[at] = (chunk[at] ?? 0) ^ (mask[turn] ?? 0);
      turn = (turn + 1) & 3;
    }
    this.#turn = turn;
  }

  #frameOver(): void {
    this.#left = -1;
    const control = this.#control;
    this.#control = null;
    if (control === null || this.failure !== 0) return;
    if (this.#opcode === OPCODE.ping) this.#sink.onPing(control);
    else if (this.#opcode === OPCODE.close) this.#closed(control);
  }

  #closed(payload: Buffer): void {
    const code = payload.length === 0 ? CLOSE.none : payload.length === 1 ? 0 : payload.readUInt16BE(0);
    if (payload.length > 0 && !isSendable(code)) {
      this.failure = CLOSE.protocolError;
      return;
    }
    this.#over = true;
    this.#sink.onClose(code);
  }
}
