import { FrameType, HEADER_BYTES, HEARTBEAT_TYPE, MAX_FRAME_PAYLOAD, writeFrameHeader } from './frame.ts';
import { returnOutputBuffer, takeOutputBuffer } from './output-pool.ts';
import type { Stream } from './stream.ts';

/** The rest of a pull is for those that wait for their turn. */
const EARLY_BYTES = 65_536;

/**
 * Small chunks in lent memory, of streams that have nothing queued: framed when they come, in the buffer of the next pull,
 * in place of being copied, queued, and copied again (docs/performance.md).
 */
export class EarlyFrames {
  /** Bytes of them. */
  end = 0;
  /** How many, and whether one asks for an answer: any but a heartbeat. */
  count = 0;
  asks = false;
  #buffer: Buffer | undefined = undefined;
  /** The newest: whose it is, and where it begins. */
  #last: Stream | undefined = undefined;
  #lastAt = 0;

  /**
   * Chunks of a stream that follow each other share a frame.
   * @returns false when there is no room
   */
  add(stream: Stream, chunk: Buffer): boolean {
    const { length } = chunk;
    let at = this.end;
    if (at + HEADER_BYTES + length > EARLY_BYTES) return false;
    const buffer = (this.#buffer ??= takeOutputBuffer());
    const together = at - this.#lastAt - HEADER_BYTES + length;
    if (this.#last === stream && together <= MAX_FRAME_PAYLOAD) {
      writeFrameHeader(buffer, this.#lastAt, FrameType.data, 0, stream.id, together);
    } else {
      this.#last = stream;
      this.#lastAt = at;
      at = writeFrameHeader(buffer, at, FrameType.data, 0, stream.id, length);
      this.count += 1;
      if (stream.type !== HEARTBEAT_TYPE) this.asks = true;
    }
    buffer.set(chunk, at);
    this.end = at + length;
    return true;
  }

  /** The buffer for a pull, which they begin. @param small whether a small one would do for the rest */
  take(small = false): Buffer {
    const buffer = this.#buffer ?? takeOutputBuffer(small);
    this.#buffer = undefined;
    this.#forget();
    return buffer;
  }

  /** Takes back those of a stream that is over. @returns how many bytes the peer has not had */
  withdraw(streamId: number): number {
    const buffer = this.#buffer;
    if (buffer === undefined) return 0;
    let bytes = 0;
    let to = 0;
    for (let at = 0; at < this.end;) {
      const length = buffer.readUIntBE(at, 3);
      const next = at + HEADER_BYTES + length;
      if (buffer.readUInt32BE(at + 4) === streamId) {
        bytes += length;
        this.count -= 1;
      } else {
        if (bytes > 0) buffer.copyWithin(to, at, next);
        to += next - at;
      }
      at = next;
    }
    this.end = to;
    this.#last = undefined;
    return bytes;
  }

  /** The session is over, and so are all streams. */
  clear(): void {
    if (this.#buffer !== undefined) returnOutputBuffer(this.take());
  }

  #forget(): void {
    this.end = 0;
    this.count = 0;
    this.asks = false;
    this.#last = undefined;
  }
}
