/**
 * Notices an HTTP/2 peer that keeps the edge busy with frames that ask for nothing: pings, settings, priorities, window
 * updates, padding, empty or unknown frames, heads that are refused. Most of them never reach this code, so the bytes of
 * the connection are set against those that had a purpose.
 */
import type { TimerHandle, TimerWheel } from '../context.ts';

const PERIOD_MS = 2_000;
/** What a client may send beyond purpose: thousands of control frames a second, and a start without remark. */
const BYTES_PER_PERIOD = 131_072;
const MOST_SAVED = 524_288;
/** Answers cost the client window updates: about 26 bytes for 16 KiB, more when frames are small. */
const ANSWER_SHARE = 16;

export class Http2Chatter {
  private readonly bytesRead: () => number;
  private readonly timer: TimerHandle;
  private seen: number;
  private allowed = MOST_SAVED;

  /**
   * @param bytesRead of the whole connection since its start
   * @param onTooMuch the connection should end; may be called again while it does not
   */
  constructor(wheel: TimerWheel, bytesRead: () => number, onTooMuch: () => void) {
    this.bytesRead = bytesRead;
    this.seen = bytesRead();
    this.timer = wheel.schedule(PERIOD_MS, () => {
      if (this.exceeded()) onTooMuch();
      else this.timer.refresh();
    });
  }

  stop(): void {
    this.timer.cancel();
  }

  /** Bytes of a request's body have come. */
  body(bytes: number): void {
    this.allowed += bytes;
  }

  /** A head has been accepted. */
  head(raw: readonly string[]): void {
    for (const text of raw) this.allowed += text.length;
  }

  /** Bytes of an answer have left. */
  answered(bytes: number): void {
    this.allowed += bytes / ANSWER_SHARE;
  }

  private exceeded(): boolean {
    const read = this.bytesRead();
    this.allowed = Math.min(MOST_SAVED, this.allowed - (read - this.seen)) + BYTES_PER_PERIOD;
    this.seen = read;
    return this.allowed < 0;
  }
}
