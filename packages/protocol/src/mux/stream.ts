import { INITIAL_WINDOW, MAX_FRAME_PAYLOAD, TYPE_BYTES } from './frame.ts';
import { DataFlag, FrameType, HEADER_BYTES, writeFrameHeader, writeUint32 } from './frame.ts';
import { SendQueue } from './send-queue.ts';
import type { MuxStream, MuxStreamHandler } from './types.ts';

/** A writer is told to wait beyond this many queued bytes, and to go on below the half of it. */
const QUEUE_MARK = 262_144;
const QUEUE_LOW = QUEUE_MARK / 2;
/** Lent chunks up to here are framed when they come (early-frames.ts). */
const EARLY_CHUNK = 4_096;

/**
 * Credit is granted when this much has been consumed. It must not follow a larger window: a peer that clamps its
 * window at 262,144 bytes would wait for a grant that never comes (agent-protocol.md §2.5).
 */
const GRANT_BYTES = INITIAL_WINDOW / 2;

/** What a stream asks of its session. */
export interface StreamHost {
  /** Frames `chunk` at once. @returns false where there is no room for that */
  frame(stream: Stream, chunk: Buffer): boolean;
  /** The stream has something to send. */
  schedule(stream: Stream): void;
  /** The stream has credit to grant. */
  grant(stream: Stream): void;
  /** The owner resets the stream. */
  resetByOwner(stream: Stream, code: number, behind?: boolean): void;
  /** A callback of the stream's owner threw. */
  fault(stream: Stream, error: unknown): void;
}

/** Until the owner has set its own; a stream that still has it after `onStream` is refused. */
export const NO_HANDLER: MuxStreamHandler = { onData() {}, onEnd() {}, onReset() {}, onDrain() {} };

/** One stream's state, both directions. The session alone calls what is not part of {@link MuxStream}. */
export class Stream implements MuxStream {
  readonly id: number;
  readonly inbound: boolean;
  type: number;
  handler: MuxStreamHandler;
  context: unknown = undefined;

  /** Type bytes of the peer's that are still to come; 0 for streams of our own. */
  typeBytesLeft: number;
  /** The peer sent FIN. */
  remoteEnded = false;
  /** Reset, or the session is over. */
  dead = false;
  /** In the session's list of streams that can send. */
  scheduled = false;
  nextScheduled: Stream | undefined = undefined;
  /** In the session's list of streams with credit to grant. */
  granting = false;

  /** What the peer may still send. */
  receiveWindow = INITIAL_WINDOW;
  readonly #host: StreamHost;
  narrow = false;
  /** What the peer may have under way to us at most, and now; they meet with the next grants. */
  readonly #window: number;
  #granted = INITIAL_WINDOW;
  /** Bytes handed to the owner and not yet consumed; bytes consumed and not yet granted. */
  #unconsumed = 0;
  #credit = 0;

  readonly #queue = new SendQueue();
  /** What we may still send, and how much of the peer's credit is for bytes that we sent. */
  #sendWindow = INITIAL_WINDOW;
  #unacknowledged = 0;
  /** The SYN frame has left. */
  opened: boolean;
  /** Bytes that were still queued when both directions ended. */
  unsent = 0;
  #ending = false;
  #finSent = false;
  #draining = false;
  /** Code of a reset that waits until everything has left. */
  #resetCode: number | undefined = undefined;

  constructor(host: StreamHost, id: number, type: number, inbound: boolean, window: number, handler: MuxStreamHandler) {
    this.#host = host;
    this.id = id;
    this.type = type;
    this.inbound = inbound;
    this.handler = handler;
    this.typeBytesLeft = inbound ? TYPE_BYTES : 0;
    this.opened = inbound;
    this.#window = window;
  }

  tellData(chunk: Buffer): void {
    try {
      this.handler.onData(chunk);
    } catch (error) {
      this.#host.fault(this, error);
    }
  }

  tellEnd(): void {
    try {
      this.handler.onEnd();
    } catch (error) {
      this.#host.fault(this, error);
    }
  }

  tellReset(code: number): void {
    try {
      this.handler.onReset(code);
    } catch (error) {
      this.#host.fault(this, error);
    }
  }

  tellDrain(): void {
    try {
      this.handler.onDrain();
    } catch (error) {
      this.#host.fault(this, error);
    }
  }

  get queued(): number {
    return this.#queue.length;
  }

  get writable(): boolean {
    return !this.dead && !this.#ending && this.#resetCode === undefined;
  }

  get finSent(): boolean {
    return this.#finSent;
  }

  get closed(): boolean {
    return this.dead || (this.remoteEnded && this.#finSent);
  }

  write(chunk: Buffer | string): boolean {
    if (!this.writable) return false;
    this.#queue.push(chunk);
    this.#host.schedule(this);
    if (this.#queue.length <= QUEUE_MARK) return true;
    this.#draining = true;
    return false;
  }

  writeShared(chunk: Buffer): boolean {
    if (this.#framesEarly(chunk)) return true;
    const more = this.write(chunk);
    this.#queue.own(chunk);
    return more;
  }

  /** A small chunk with nothing before it is framed at once, if there is room. */
  #framesEarly(chunk: Buffer): boolean {
    const { length } = chunk;
    if (length === 0 || length > EARLY_CHUNK || length > this.#sendWindow || this.#queue.length > 0) return false;
    if (!this.opened || !this.writable || !this.#host.frame(this, chunk)) return false;
    this.#sendWindow -= length;
    this.#unacknowledged += length;
    return true;
  }

  end(last?: Buffer): void {
    if (!this.writable) return;
    if (last !== undefined) this.#queue.push(last);
    this.#ending = true;
    this.#draining = false;
    this.#host.schedule(this);
  }

  reset(code: number): void {
    if (!this.closed) this.#host.resetByOwner(this, code);
  }

  resetBehind(code: number): void {
    if (this.#queue.length > 0) {
      this.#resetCode = code;
      this.#draining = false;
    } else if (!this.closed) {
      // What is framed already is before it.
      this.#host.resetByOwner(this, code, true);
    }
  }

  /** Code of the reset that is to leave now; undefined = none is. */
  get resetDue(): number | undefined {
    return this.#queue.length === 0 ? this.#resetCode : undefined;
  }

  consume(n: number): void {
    const consumed = Math.min(n, this.#unconsumed);
    this.#unconsumed -= consumed;
    if (this.dead || this.remoteEnded) return;
    this.#credit += consumed;
    if (this.#credit >= GRANT_BYTES) this.#host.grant(this);
  }

  /** `n` bytes were handed to the owner. */
  delivered(n: number): void {
    this.#unconsumed += n;
  }

  /** Reads what is left of the type, with credit at once; returns the offset behind it. */
  readType(chunk: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && this.typeBytesLeft > 0) {
      this.type = ((this.type << 8) | chunk.readUInt8(at)) >>> 0;
      this.typeBytesLeft -= 1;
      at += 1;
    }
    this.#credit += at - start;
    return at;
  }

  /** The increment for the WNDINC that is being written; 0 when there is none to give any more. */
  takeGrant(): number {
    if (this.dead || this.remoteEnded) return 0;
    const wanted = this.narrow ? INITIAL_WINDOW : this.#window;
    const increment = Math.max(0, this.#credit + wanted - this.#granted);
    this.#granted += increment - this.#credit;
    this.#credit = 0;
    this.receiveWindow += increment;
    return increment;
  }

  /**
   * The peer granted `n` bytes.
   * @returns whether all of it answers bytes that we sent; more than that is legal, but worth counting
   */
  extendSendWindow(n: number): boolean {
    this.#sendWindow += n;
    const earned = n <= this.#unacknowledged;
    this.#unacknowledged = earned ? this.#unacknowledged - n : 0;
    return earned;
  }

  /** Bytes that left and that the peer has not given credit for. */
  get unacknowledged(): number {
    return this.#unacknowledged;
  }

  get sendWindow(): number {
    return this.#sendWindow;
  }

  /** A frame could be written now. */
  get sendable(): boolean {
    if (this.dead) return false;
    if (!this.opened) return true;
    if (this.#queue.length > 0) return this.#sendWindow > 0;
    return this.#ending && !this.#finSent;
  }

  /**
   * Bytes that the next frame needs at least, header included: the opening frame must carry the type and all of a
   * proxy header unsplit (agent-protocol.md §2.7), the others may be cut anywhere.
   */
  get frameNeeds(): number {
    if (this.opened) return Math.min(HEADER_BYTES + this.#queue.length, 1024);
    return HEADER_BYTES + Math.min(TYPE_BYTES + this.#queue.length, MAX_FRAME_PAYLOAD);
  }

  /** Writes one frame of at most {@link MAX_FRAME_PAYLOAD} payload bytes into [at, end); returns the offset behind it. */
  writeFrame(target: Buffer, at: number, end: number): number {
    const opening = !this.opened;
    const typeBytes = opening ? TYPE_BYTES : 0;
    const room = Math.min(MAX_FRAME_PAYLOAD, end - at - HEADER_BYTES, this.#sendWindow) - typeBytes;
    const count = Math.min(this.#queue.length, room);
    // One SDK family takes FIN in the opening frame for the end of its own direction: FIN follows in a frame of its own.
    const fin = this.#ending && !opening && count === this.#queue.length;
    const flags = (opening ? DataFlag.syn : 0) | (fin ? DataFlag.fin : 0);
    const payload = typeBytes + count;
    at = writeFrameHeader(target, at, FrameType.data, flags, this.id, payload);
    if (opening) at = writeUint32(target, at, this.type);
    this.#queue.moveTo(target, at, count);
    this.#sendWindow -= payload;
    this.#unacknowledged += payload;
    this.opened = true;
    if (fin) this.#finSent = true;
    return at + count;
  }

  /** True once, when a writer that was told to wait may go on. */
  takeDrained(): boolean {
    if (!this.#draining || this.#queue.length > QUEUE_LOW) return false;
    this.#draining = false;
    return true;
  }

  /** Ends both directions without a word to anybody. @param unsent bytes that had a frame and have not left */
  kill(unsent: number): void {
    this.dead = true;
    this.#draining = false;
    this.unsent += unsent + this.#queue.length;
    this.#queue.clear();
  }
}
