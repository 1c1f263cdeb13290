/**
 * Tells an HTTP/2 peer that works from one that keeps the edge busy. What separates them is waste per useful byte over
 * time, not a count of anything: pings, resets, small frames and window updates all belong to work (gRPC clients send a
 * ping with every burst of data, and cancel calls by the hundred), and each kind of frame, sent alone and without end,
 * is an attack. Most frames never reach this code, so the bytes of the connection are set against those that had a
 * purpose; what costs more than its bytes is charged by its event.
 */
import type { TimerHandle, TimerWheel } from '../../context.ts';

const PERIOD_MS = 2_000;
/** What a client may waste for ever, and at most at once (also at the start). */
const BYTES_PER_PERIOD = 131_072;
const MOST_SAVED = 524_288;

/** Header of a frame (RFC 9113 §4.1). Lawful for each DATA frame, unless it carries next to nothing. */
const FRAME_BYTES = 9;
const FRAME_BYTES_PER_BYTE = 8;
/** Answers cost the client window updates: 26 bytes for 16 KiB, more for those who update often; */
const ANSWER_SHARE = 16;
/** and a frame of theirs may be answered by two of these and a ping. */
const ANSWER_REPLIES = 43;
/** A call that was answered to its end pays for what a client does around it. */
const CALL_BYTES = 256;

/** A ping beyond its 17 bytes: it is answered at once. */
const PING_BYTES = 47;
/** New settings go through the whole session. */
const SETTINGS_BYTES = 1_024;
/**
 * Requests that are reset before they were answered, at most at once and in each period: their work is done before it is
 * known to be in vain, so that these are scarcer than bytes. Each call that is answered, and each piece of a body, pays
 * for another one.
 */
const RESETS_PER_PERIOD = 400;
const BYTES_PER_RESET = 4_096;

export class Http2Chatter {
  private readonly bytesRead: () => number;
  private readonly onTooMuch: () => void;
  private readonly timer: TimerHandle;
  private seen: number;
  private allowed = MOST_SAVED;
  private resets = RESETS_PER_PERIOD;

  /**
   * @param bytesRead of the whole connection since its start
   * @param onTooMuch the connection should end; may be called again while it does not
   */
  constructor(wheel: TimerWheel, bytesRead: () => number, onTooMuch: () => void) {
    this.bytesRead = bytesRead;
    this.onTooMuch = onTooMuch;
    this.seen = bytesRead();
    this.timer = wheel.schedule(PERIOD_MS, () => {
      if (this.exceeded()) onTooMuch();
      else this.timer.refresh();
    });
  }

  stop(): void {
    this.timer.cancel();
  }

  /** A DATA frame of a request's body has come. */
  body(bytes: number): void {
    this.allowed += bytes + Math.min(FRAME_BYTES, bytes * FRAME_BYTES_PER_BYTE);
    this.resets += bytes / BYTES_PER_RESET;
  }

  /** A head has been accepted. @param bytes of its names and values */
  head(bytes: number): void {
    this.allowed += bytes;
  }

  /** A piece of an answer has left. */
  answered(bytes: number): void {
    this.allowed += bytes / ANSWER_SHARE + ANSWER_REPLIES;
    this.resets += bytes / BYTES_PER_RESET;
  }

  /** A request has been answered to its end. */
  completed(): void {
    this.allowed += CALL_BYTES;
    this.resets++;
  }

  ping(): void {
    this.charge(PING_BYTES);
  }

  settings(): void {
    this.charge(SETTINGS_BYTES);
  }

  /** A request has been reset before its answer was complete. @param head what its head has brought in */
  reset(head: number): void {
    this.resets--;
    this.charge(head);
  }

  /** What is charged is known at once, and so is that it is too much: a period would let thousands of resets through. */
  private charge(bytes: number): void {
    this.allowed -= bytes;
    if (this.allowed < 0 || this.resets < 0) this.onTooMuch();
  }

  private exceeded(): boolean {
    const read = this.bytesRead();
    this.allowed = Math.min(MOST_SAVED, this.allowed - (read - this.seen)) + BYTES_PER_PERIOD;
    this.seen = read;
    this.resets = Math.min(this.resets, 0) + RESETS_PER_PERIOD;
    return this.allowed < 0;
  }
}
