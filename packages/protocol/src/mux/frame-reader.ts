import { FrameType, HEADER_BYTES } from './frame.ts';
import { MuxErrorCode } from './types.ts';

/** What a {@link FrameReader} tells. All calls happen inside {@link FrameReader.read}. */
export interface FrameSink {
  /** A DATA frame begins; `length` payload bytes follow in {@link dataBytes}, then {@link dataEnd}. */
  dataHeader(streamId: number, length: number, flags: number): void;
  dataBytes(chunk: Buffer, start: number, end: number): void;
  dataEnd(): void;
  reset(streamId: number, code: number): void;
  windowIncrement(streamId: number, increment: number): void;
  /** The rest of the chunk from `start` may hold last stream id, code and text; nothing is read after it. */
  goAwayFrame(chunk: Buffer, start: number, end: number): void;
  /** A frame of unknown type, which will be skipped. */
  unknown(type: number, length: number): void;
  malformed(code: number, detail: string): void;
}

/**
 * Takes frames apart, however the bytes are split. Payload of DATA is passed on piece by piece as it arrives and never
 * collected here, so a frame may be as long as its 24-bit length allows without costing memory.
 */
export class FrameReader {
  readonly #sink: FrameSink;
  /** For headers that come in pieces; null = none has. */
  #header: Buffer | null = null;
  #headerFill = 0;
  /** Type of the frame whose payload is being read; -1 between frames. */
  #type = -1;
  #streamId = 0;
  #left = 0;
  /** The u32 payload of RST and WNDINC. */
  #value = 0;
  #stopped = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Ignores everything from here on, also the rest of the chunk being read. */
  stop(): void {
    this.#stopped = true;
  }

  read(chunk: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end && !this.#stopped) {
      at = this.#type === -1 ? this.#readHeader(chunk, at, end) : this.#readPayload(chunk, at, end);
    }
  }

  #readHeader(chunk: Buffer, start: number, end: number): number {
    if (this.#headerFill === 0 && end - start >= HEADER_BYTES) {
      this.#begin(chunk, start, chunk, start + HEADER_BYTES, end);
      return start + HEADER_BYTES;
    }
    const header = (this.#header ??= Buffer.alloc(HEADER_BYTES));
    const taken = Math.min(HEADER_BYTES - this.#headerFill, end - start);
    chunk.copy(header, this.#headerFill, start, start + taken);
    this.#headerFill += taken;
    if (this.#headerFill === HEADER_BYTES) {
      this.#headerFill = 0;
      this.#begin(header, 0, chunk, start + taken, end);
    }
    return start + taken;
  }

  #begin(header: Buffer, at: number, chunk: Buffer, payloadAt: number, end: number): void {
    const lengthTypeAndFlags = header.readUInt32BE(at);
    const length = lengthTypeAndFlags >>> 8;
    const typeAndFlags = lengthTypeAndFlags & 0xff;
    const type = typeAndFlags >>> 4;
    // The top bit of an id is undefined; one SDK family masks it, so do we.
    const streamId = header.readUInt32BE(at + 4) & 0x7fffffff;
    switch (type) {
      case FrameType.data:
        if (streamId === 0) return this.#malformed(MuxErrorCode.protocol, 'DATA on stream 0');
        this.#sink.dataHeader(streamId, length, typeAndFlags & 0xf);
        if (length === 0) {
          if (!this.#stopped) this.#sink.dataEnd();
          return;
        }
        break;
      case FrameType.reset:
      case FrameType.windowIncrement:
        if (streamId === 0) return this.#malformed(MuxErrorCode.protocol, `frame type ${type} on stream 0`);
        if (length !== 4) return this.#malformed(MuxErrorCode.frameSize, `frame type ${type} with ${length} bytes`);
        this.#value = 0;
        break;
      case FrameType.goAway:
        // Its length cannot be believed: one SDK family leaves the fixed part out of it (agent-protocol.md §2.6).
        this.#stopped = true;
        this.#sink.goAwayFrame(chunk, payloadAt, end);
        return;
      default:
        this.#sink.unknown(type, length);
        if (length === 0) return;
        break;
    }
    this.#type = type;
    this.#streamId = streamId;
    this.#left = length;
  }

  #readPayload(chunk: Buffer, start: number, end: number): number {
    const until = Math.min(end, start + this.#left);
    this.#left -= until - start;
    const complete = this.#left === 0;
    const type = this.#type;
    if (complete) this.#type = -1;
    if (type === FrameType.data) {
      this.#sink.dataBytes(chunk, start, until);
      if (complete && !this.#stopped) this.#sink.dataEnd();
    } else if (type === FrameType.reset || type === FrameType.windowIncrement) {
      for (let at = start; at < until; at++) this.#value = ((this.#value << 8) | chunk.readUInt8(at)) >>> 0;
      if (complete && type === FrameType.reset) this.#sink.reset(this.#streamId, this.#value);
      if (complete && type === FrameType.windowIncrement) {
        this.#sink.windowIncrement(this.#streamId, this.#value & 0x7fffffff);
      }
    }
    return until;
  }

  #malformed(code: number, detail: string): void {
    this.#stopped = true;
    this.#sink.malformed(code, detail);
  }
}
