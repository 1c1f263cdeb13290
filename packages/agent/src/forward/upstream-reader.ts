import type { OnReadOpts } from 'node:net';
import type { MuxStream } from '@postern/protocol';
import type { Watched } from './watched.ts';

const BUFFER_BYTES = 65_536;
/** A read as small as this ends a bulk transfer. */
const SMALL_BYTES = 16_384;

/**
 * What upstream sockets read into as long as they carry small things: one buffer for all of them, because what was read
 * is framed, or copied, before the callback ends (docs/performance.md).
 */
const SHARED = Buffer.allocUnsafeSlow(BUFFER_BYTES);

/** A buffer of a bulk transfer, and how many bytes had been written to the stream with it. */
interface Slot {
  readonly buffer: Buffer;
  end: number;
}

/**
 * Reads an upstream socket into its stream. A socket that fills the shared buffer gets buffers of its own, which the
 * stream keeps instead of copies until they have been framed (docs/performance.md); as many as its queue holds, used in
 * turn, and given up when the transfer is over.
 */
export class UpstreamReader {
  readonly onread: OnReadOpts;
  readonly #stream: MuxStream;
  readonly #onFull: () => void;
  readonly #watched: Watched | undefined;
  #slots: Slot[] = [];
  /** The one being read into; undefined = the shared buffer. */
  #slot: Slot | undefined = undefined;
  #bulk = false;
  #written = 0;

  /** @param onFull pauses the socket: the stream takes no more for now */
  constructor(stream: MuxStream, onFull: () => void, watched: Watched | undefined) {
    this.#stream = stream;
    this.#onFull = onFull;
    this.#watched = watched;
    this.onread = { buffer: () => this.#next(), callback: (length) => this.#read(length) };
  }

  /** Reads on while there is something and the stream takes it. @param read fills what it can; 0 = the end */
  readRest(read: (buffer: Buffer) => number): void {
    for (let more = this.#stream.writable; more;) {
      const length = read(this.#next());
      if (length === 0) return;
      more = this.#take(length);
    }
  }

  #read(length: number): boolean {
    if (!this.#take(length)) this.#onFull();
    return true;
  }

  /** @returns whether the stream takes more */
  #take(length: number): boolean {
    const slot = this.#slot;
    const bytes = (slot === undefined ? SHARED : slot.buffer).subarray(0, length);
    this.#watched?.fromService(bytes);
    this.#written += length;
    let more: boolean;
    if (slot === undefined) {
      more = this.#stream.writeShared(bytes);
      this.#bulk = length === BUFFER_BYTES;
    } else {
      slot.end = this.#written;
      more = this.#stream.write(bytes);
      this.#bulk = length >= SMALL_BYTES || this.#stream.queued > 0;
    }
    return more;
  }

  #next(): Buffer {
    if (!this.#bulk) {
      this.#slot = undefined;
      this.#slots = [];
      return SHARED;
    }
    const slot = this.#framedSlot() ?? { buffer: Buffer.allocUnsafeSlow(BUFFER_BYTES), end: 0 };
    this.#slots.push(slot);
    this.#slot = slot;
    return slot.buffer;
  }

  /** The oldest slot, if the stream has framed all that was read into it. */
  #framedSlot(): Slot | undefined {
    const oldest = this.#slots[0];
    if (oldest === undefined || oldest.end > this.#written - this.#stream.queued) return undefined;
    return this.#slots.shift();
  }
}
