/**
 * Writes what came over a mux to the socket of a visitor or a service: pieces are copied into pooled 64-KiB slabs and leave together
 * (flush-turns.ts says when). One write is under way at a time; what arrives meanwhile fills the slabs behind it, so
 * that a stalled reader pins little more memory than the bytes it has not taken.
 */
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { flushSoon } from './flush-turns.ts';
import { returnSlab, SLAB_BYTES, takeSlab } from './slabs.ts';

/** Written behind something to learn when that has left. */
const NOTHING = Buffer.alloc(0);

/** Told how a {@link SocketWriter} gets on. */
export interface SocketWriterOwner {
  /** `n` bytes have left this process: give credit for them. May be called from within {@link SocketWriter.flush}. */
  onWritten(n: number): void;
  /** A write threw, or `onWritten` did. */
  fault(error: unknown): void;
}

export class SocketWriter {
  readonly #socket: Writable;
  readonly #owner: SocketWriterOwner;
  /**
   * The kernel takes most writes at once, and then the socket's own count says so: a callback with every write would
   * cost a microsecond each. TLS and HTTP/2 always finish later.
   */
  readonly #direct: boolean;
  /** What is not yet written: from `#head` of the first slab to `#tail` of the last. */
  readonly #slabs: Buffer[] = [];
  #head = 0;
  #tail = SLAB_BYTES;
  #pending = 0;
  #inFlight = 0;
  #scheduled = false;
  #ending = false;
  #dropped = false;

  /** @param socket of a visitor or a service, or one HTTP/2 stream of a visitor */
  constructor(socket: Writable, owner: SocketWriterOwner) {
    this.#socket = socket;
    this.#owner = owner;
    this.#direct = socket instanceof Socket && !(socket instanceof TLSSocket);
  }

  /** Bytes taken and not yet written. */
  get pending(): number {
    return this.#pending;
  }

  /** Copies `chunk[start..end)`; it leaves soon. */
  write(chunk: Buffer, start = 0, end = chunk.length): void {
    if (this.#dropped || this.#ending) return;
    for (let from = start; from < end;) {
      const slab = this.#room();
      const taken = chunk.copy(slab, this.#tail, from, end);
      this.#tail += taken;
      this.#pending += taken;
      from += taken;
    }
    this.#schedule();
  }

  /** As {@link write}, for latin1 text: a head goes into the slab without a buffer of its own. */
  writeText(text: string): void {
    if (this.#dropped || this.#ending || text === '') return;
    const slab = this.#room();
    if (text.length > SLAB_BYTES - this.#tail) {
      this.write(Buffer.from(text, 'latin1'));
      return;
    }
    slab.write(text, this.#tail, 'latin1');
    this.#tail += text.length;
    this.#pending += text.length;
    this.#schedule();
  }

  /** FIN to the visitor, behind what is queued. */
  end(): void {
    if (this.#ending || this.#dropped) return;
    this.#ending = true;
    this.#schedule();
  }

  /** The socket is gone: forgets what is queued. The slabs are left to the collector, as a write may still hold them. */
  drop(): void {
    this.#dropped = true;
    this.#slabs.length = 0;
    this.#pending = 0;
  }

  /**
   * Somebody else writes to the socket from now on: all that is queued goes there first, behind a write that is under way.
   * The owner is told nothing any more.
   */
  handOver(): void {
    if (!this.#dropped) this.#hand(this.#inFlight, null);
    this.drop();
  }

  /** {@link flush} in a turn of its own: what is thrown concerns the owner, and not the writers behind this one. */
  flushNow(): void {
    try {
      this.flush();
    } catch (error) {
      this.#owner.fault(error);
    }
  }

  /** Hands everything queued to the socket as one gathered write, unless one is under way. */
  flush(): void {
    this.#scheduled = false;
    if (this.#inFlight > 0 || this.#dropped) return;
    if (this.#pending === 0) {
      if (this.#ending) this.#socket.end();
      return;
    }
    this.#inFlight = this.#pending;
    this.#hand(0, this.#direct ? null : this.#written);
    if (!this.#direct || this.#socket.destroyed || this.#socket.errored !== null) return;
    if (this.#socket.writableLength === 0) this.#written();
    else this.#socket.write(NOTHING, this.#written);
  }

  /**
   * Gives what is queued to the socket, as one write.
   * @param given bytes of it that the socket has already @param written is told by the last piece; null = nobody is
   */
  #hand(given: number, written: ((error?: Error | null) => void) | null): void {
    const last = this.#slabs.length - 1;
    let from = this.#head + given;
    if (last > 0) this.#socket.cork();
    for (let i = 0; i <= last; i++, from = Math.max(0, from - SLAB_BYTES)) {
      const end = i === last ? this.#tail : SLAB_BYTES;
      const slab = this.#slabs[i];
      if (slab === undefined || from >= end) continue;
      const piece = slab.subarray(from, end);
      if (i === last && written !== null) this.#socket.write(piece, written);
      else this.#socket.write(piece);
    }
    if (last > 0) this.#socket.uncork();
  }

  /** The last slab, or a new one when it is full: every slab but the last is full. */
  #room(): Buffer {
    const last = this.#slabs.at(-1);
    if (last !== undefined && this.#tail < SLAB_BYTES) return last;
    const slab = takeSlab();
    this.#slabs.push(slab);
    this.#tail = 0;
    return slab;
  }

  #schedule(): void {
    if (this.#scheduled || this.#inFlight > 0) return;
    this.#scheduled = true;
    flushSoon(this);
  }

  readonly #written = (error?: Error | null): void => {
    const n = this.#inFlight;
    this.#inFlight = 0;
    // After an error the socket closes, and its owner drops this writer.
    if (this.#dropped || error) return;
    this.#pending -= n;
    this.#recycle(n);
    try {
      this.#owner.onWritten(n);
      if (this.#pending > 0 || this.#ending) this.flush();
    } catch (mistake) {
      this.#owner.fault(mistake);
    }
  };

  /** Moves on by `n` written bytes and gives back the slabs that are through; the last one too when nothing is left. */
  #recycle(n: number): void {
    this.#head += n;
    while (this.#slabs.length > 0 && (this.#head >= SLAB_BYTES || this.#pending === 0)) {
      const slab = this.#slabs.length === 1 ? this.#slabs.pop() : this.#slabs.shift();
      if (slab !== undefined) returnSlab(slab);
      this.#head = Math.max(0, this.#head - SLAB_BYTES);
    }
    if (this.#slabs.length === 0) {
      this.#head = 0;
      this.#tail = SLAB_BYTES;
    }
  }
}
