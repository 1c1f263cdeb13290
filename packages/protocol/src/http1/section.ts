/**
 * Collects one head or trailer section: everything up to and including the empty line. A section that lies in one
 * chunk becomes a string without a copy of its bytes; one that is split is gathered in a buffer that grows to the
 * limit and is dropped as soon as the section is whole.
 */
import { CR, LF } from './characters.ts';
import { Refusal } from './refusal.ts';

const END = Buffer.from('\r\n\r\n', 'latin1');
const FIRST_BUFFER = 1_024;

export class Section {
  private held: Buffer | null = null;
  private heldLength = 0;
  /** A line end has been held, so that a too large section is known to be more than its first line. */
  private lines = false;
  private readonly limit: number;
  private readonly startLine: boolean;

  /**
   * @param limit bytes, including the empty line
   * @param startLine the first line is not a field, and too large has a status of its own there
   */
  constructor(limit: number, startLine: boolean) {
    this.limit = limit;
    this.startLine = startLine;
  }

  /** Part of a section is held. */
  get started(): boolean {
    return this.heldLength > 0;
  }

  /**
   * Looks for the end of the section; without one, all of `chunk[start..end)` is held.
   * @returns the offset after the empty line, to be given to `take`; -1 when it has not come yet
   * @throws Refusal 414 or 431 above the limit; 400 at once for a line break that is not CRLF, which would otherwise
   *   be waited on until a deadline
   */
  find(chunk: Buffer, start: number, end: number): number {
    const stop = this.findEnd(chunk, start, end);
    const length = (stop === -1 ? end : stop) - start;
    if (this.heldLength + length > this.limit) throw this.tooLarge(chunk, start, end);
    if (stop !== -1) return stop;
    this.checkLineBreaks(chunk, start, end);
    this.hold(chunk, start, end);
    return -1;
  }

  /** The whole section with its last CRLF CRLF, as latin1, when `find` has found its end at `stop`. Starts over. */
  take(chunk: Buffer, start: number, stop: number): string {
    if (this.held === null) return chunk.toString('latin1', start, stop);
    this.hold(chunk, start, stop);
    const text = this.held.toString('latin1', 0, this.heldLength);
    this.clear();
    return text;
  }

  clear(): void {
    this.held = null;
    this.heldLength = 0;
    this.lines = false;
  }

  /** Offset after the empty line, or -1. The end may begin in what is held. */
  private findEnd(chunk: Buffer, start: number, end: number): number {
    const held = this.held;
    if (held !== null) {
      for (let overlap = Math.min(3, this.heldLength); overlap > 0; overlap--) {
        if (this.endsAcross(held, overlap, chunk, start, end)) return start + END.length - overlap;
      }
    }
    const found = chunk.indexOf(END, start);
    return found === -1 || found + END.length > end ? -1 : found + END.length;
  }

  /** The last `overlap` held bytes and the first of the chunk are the end. */
  private endsAcross(held: Buffer, overlap: number, chunk: Buffer, start: number, end: number): boolean {
    const rest = END.length - overlap;
    if (end - start < rest) return false;
    return (
      held.compare(END, 0, overlap, this.heldLength - overlap, this.heldLength) === 0 &&
      chunk.compare(END, overlap, END.length, start, start + rest) === 0
    );
  }

  private checkLineBreaks(chunk: Buffer, start: number, end: number): void {
    let previous = this.held === null ? 0 : (this.held[this.heldLength - 1] ?? 0);
    for (let at = start; at < end; at++) {
      const byte = chunk[at] ?? 0;
      if (byte === LF) {
        if (previous !== CR) throw new Refusal(400, 'a line feed without carriage return in the head');
        this.lines = true;
      } else if (previous === CR) {
        throw new Refusal(400, 'a carriage return without line feed in the head');
      }
      previous = byte;
    }
  }

  private hold(chunk: Buffer, start: number, end: number): void {
    const length = this.heldLength + end - start;
    if (this.held === null || this.held.length < length) {
      const size = Math.min(this.limit, Math.max(FIRST_BUFFER, length, this.heldLength * 2));
      const grown = Buffer.allocUnsafeSlow(size);
      this.held?.copy(grown, 0, 0, this.heldLength);
      this.held = grown;
    }
    chunk.copy(this.held, this.heldLength, start, end);
    this.heldLength = length;
  }

  private tooLarge(chunk: Buffer, start: number, end: number): Refusal {
    const room = start + this.limit - this.heldLength;
    const found = chunk.indexOf(LF, start);
    const firstLineFits = !this.startLine || this.lines || (found !== -1 && found < Math.min(end, room));
    return firstLineFits
      ? new Refusal(431, `a head larger than ${this.limit} bytes`)
      : new Refusal(414, `a first line longer than ${this.limit} bytes`);
  }
}
