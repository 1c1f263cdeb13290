import { CONTROL_FRAME_BYTES, DataFlag, FrameType, HEADER_BYTES, NUDGE_STREAM_ID } from './frame.ts';
import { writeControlFrame, writeFrameHeader, writeUint32 } from './frame.ts';
import { EarlyFrames } from './early-frames.ts';
import { LentBuffers, OUTPUT_BYTES, returnOutputBuffer, SMALL_BYTES, SMALLEST_PULL } from './output-pool.ts';
import type { Stream } from './stream.ts';

/** Text of a GOAWAY is cut at this many bytes. */
const GOAWAY_TEXT_BYTES = 256;

/** Of the frames around what one stream has queued: a nudge, an opening, an end. */
const FRAMING_BYTES = 64;

const Kind = { reset: 0, resetAndGrant: 1, grant: 2, finAndGrant: 3 } as const;

/** Told of frames as they are written. */
export interface FrameListener {
  wrote(stream: Stream): void;
}

/**
 * What a session has to send, in the order it leaves: frames that were written when their bytes came, resets (which may
 * be of their streams), grants and the nudge, then one frame per stream in turn, then GOAWAY when nothing else is left.
 */
export class Output {
  readonly early = new EarlyFrames();
  readonly #lent = new LentBuffers();
  /** Stream id, code and {@link Kind}, one after another. */
  #resets: number[] = [];
  #grants: Stream[] = [];
  #nudge = false;
  #first: Stream | undefined = undefined;
  #last: Stream | undefined = undefined;
  #goAway: Buffer | undefined = undefined;
  #goAwaySent = false;

  /** RST frames that wait; a peer can make them grow. */
  get pendingResets(): number {
    return this.#resets.length / 3;
  }

  get empty(): boolean {
    if (this.#goAwaySent) return true;
    return (
      this.early.end === 0 &&
      this.#resets.length === 0 &&
      this.#grants.length === 0 &&
      !this.#nudge &&
      this.#first === undefined &&
      this.#goAway === undefined
    );
  }

  /**
   * @param wakes a grant follows: a writer of the peer's that waits for credit with a spent window notices neither FIN
   *   nor RST before one comes (agent-protocol.md, annex)
   */
  reset(streamId: number, code: number, wakes: boolean): void {
    this.#resets.push(streamId, code, wakes ? Kind.resetAndGrant : Kind.reset);
  }

  /** Wakes whoever waits on the stream at the peer's side, without ending it for who does not. */
  farewell(streamId: number, fin: boolean): void {
    this.#resets.push(streamId, 0, fin ? Kind.finAndGrant : Kind.grant);
  }

  grant(stream: Stream): void {
    if (stream.granting) return;
    stream.granting = true;
    this.#grants.push(stream);
  }

  nudge(): void {
    this.#nudge = true;
  }

  schedule(stream: Stream): void {
    if (stream.scheduled) return;
    stream.scheduled = true;
    if (this.#last === undefined) this.#first = stream;
    else this.#last.nextScheduled = stream;
    this.#last = stream;
  }

  goAway(lastStreamId: number, code: number, detail: string): void {
    const text = Buffer.from(detail).subarray(0, GOAWAY_TEXT_BYTES);
    const frame = Buffer.alloc(HEADER_BYTES + 8 + text.length);
    let at = writeFrameHeader(frame, 0, FrameType.goAway, 0, 0, 8 + text.length);
    at = writeUint32(frame, at, lastStreamId);
    at = writeUint32(frame, at, code);
    text.copy(frame, at);
    this.#goAway = frame;
  }

  /** Drops everything but a GOAWAY. */
  clear(): void {
    this.early.clear();
    this.#resets = [];
    this.#grants = [];
    this.#nudge = false;
    this.#first = undefined;
    this.#last = undefined;
  }

  /**
   * The next bytes for the wire, undefined when there is nothing; `listener` hears of each stream after its frame.
   * @param limit bytes at most, besides what was framed early
   */
  next(listener: FrameListener, limit: number = OUTPUT_BYTES): Buffer | undefined {
    if (this.empty) return undefined;
    const from = this.early.end;
    const buffer = this.early.take(this.#fits(SMALL_BYTES));
    const end = Math.min(Math.max(limit, from, SMALLEST_PULL), buffer.length);
    const length = this.#fill(buffer, from, end, listener);
    if (length === 0) {
      returnOutputBuffer(buffer);
      return undefined;
    }
    this.#lent.add(buffer);
    return buffer.subarray(0, length);
  }

  /** Gives back what {@link next} returned. */
  release(buffer: Buffer): void {
    this.#lent.giveBack(buffer);
  }

  /** Whether all that waits surely fits into so many bytes: only where it is no more than one frame is it known. */
  #fits(bytes: number): boolean {
    if (this.#first !== this.#last || this.#goAway !== undefined) return false;
    if (this.#resets.length > 0 || this.#grants.length > 0) return false;
    return FRAMING_BYTES + (this.#first?.queued ?? 0) <= bytes;
  }

  /** Fills `target` from `at` up to `end`; returns the offset behind it. */
  #fill(target: Buffer, at: number, end: number, listener: FrameListener): number {
    at = this.#fillControl(target, at, end);
    at = this.#fillData(target, at, end, listener);
    if (this.#goAway !== undefined && this.#first === undefined && at + this.#goAway.length <= end) {
      at += this.#goAway.copy(target, at);
      this.#goAwaySent = true;
    }
    return at;
  }

  #fillControl(target: Buffer, at: number, end: number): number {
    if (this.#resets.length > 0) {
      let taken = 0;
      while (taken < this.#resets.length && at + 2 * CONTROL_FRAME_BYTES <= end) {
        const id = this.#resets[taken] ?? 0;
        const kind = this.#resets[taken + 2];
        if (kind === Kind.finAndGrant) at = writeFrameHeader(target, at, FrameType.data, DataFlag.fin, id, 0);
        else if (kind !== Kind.grant) {
          at = writeControlFrame(target, at, FrameType.reset, id, this.#resets[taken + 1] ?? 0);
        }
        if (kind !== Kind.reset) at = writeControlFrame(target, at, FrameType.windowIncrement, id, 1);
        taken += 3;
      }
      this.#resets.splice(0, taken);
    }
    if (this.#grants.length > 0) {
      let taken = 0;
      for (const stream of this.#grants) {
        if (at + CONTROL_FRAME_BYTES > end) break;
        taken += 1;
        stream.granting = false;
        const increment = stream.takeGrant();
        if (increment > 0) at = writeControlFrame(target, at, FrameType.windowIncrement, stream.id, increment);
      }
      this.#grants.splice(0, taken);
    }
    if (this.#nudge && at + CONTROL_FRAME_BYTES <= end) {
      this.#nudge = false;
      at = writeControlFrame(target, at, FrameType.windowIncrement, NUDGE_STREAM_ID, 1);
    }
    return at;
  }

  #fillData(target: Buffer, at: number, end: number, listener: FrameListener): number {
    for (;;) {
      const stream = this.#first;
      if (stream === undefined) return at;
      if (stream.sendable) {
        // Leave what does not fit to the next buffer, unless this one is still empty.
        if (at > 0 && end - at < stream.frameNeeds) return at;
        at = stream.writeFrame(target, at, end);
      }
      this.#first = stream.nextScheduled;
      if (this.#first === undefined) this.#last = undefined;
      stream.nextScheduled = undefined;
      stream.scheduled = false;
      if (stream.sendable) this.schedule(stream);
      listener.wrote(stream);
    }
  }
}
