/**
 * An event stream (WHATWG HTML §9.2.5) taken apart into its messages, and put together again: what nobody changes leaves as
 * it came, byte for byte. Lines end in LF, CR or CRLF; an empty one ends a message.
 */
import type { EventView } from './runtime.ts';

/** Most messages are shorter. */
const FIRST_SIZE = 1024;
const LF = 10;
const CR = 13;
const COLON = 58;
const SPACE = 32;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);
const EMPTY = Buffer.alloc(0);
const LINE_FEED = Buffer.from('\n');

interface Line {
  readonly start: number;
  /** Of its name; -1 = a comment, or nothing. */
  readonly colon: number;
  /** Of its text, and behind its end of line. */
  readonly end: number;
  readonly next: number;
}

/** One message: an empty line, or the end of the stream, is behind it. */
export class EventBlock implements EventView {
  readonly #bytes: Buffer;
  readonly #lines: readonly Line[];
  readonly #reserve: (bytes: number) => boolean;
  #data: Buffer | null | undefined;
  #retry: Buffer | null | undefined;
  #changed = false;

  /** @param reserve memory for what rules make of it */
  constructor(bytes: Buffer, lines: readonly Line[], reserve: (bytes: number) => boolean) {
    this.#bytes = bytes;
    this.#lines = lines;
    this.#reserve = reserve;
  }

  get data(): Buffer | null {
    if (this.#data === undefined) {
      const parts = this.#valuesOf('data').flatMap((value, at) => (at === 0 ? [value] : [LINE_FEED, value]));
      this.#data = parts.length === 0 ? null : parts.length === 1 ? (parts[0] ?? EMPTY) : Buffer.concat(parts);
    }
    return this.#data;
  }

  set data(value: Buffer) {
    this.#data = value;
    this.#changed = true;
  }

  get retry(): Buffer | null {
    this.#retry ??= this.#valuesOf('retry').at(-1) ?? null;
    return this.#retry;
  }

  set retry(value: Buffer) {
    // A line end would begin another field.
    const end = value.findIndex((byte) => byte === LF || byte === CR);
    this.#retry = end === -1 ? value : value.subarray(0, end);
    this.#changed = true;
  }

  reserve(bytes: number): boolean {
    return this.#reserve(bytes);
  }

  /** As it goes on. */
  get parts(): readonly Buffer[] {
    if (!this.#changed) return [this.#bytes];
    const [first] = this.#lines;
    if (first === undefined) return [this.#bytes];
    const lineEnd = first.next > first.end ? this.#bytes.subarray(first.end, first.next) : LINE_FEED;
    const parts: Buffer[] = [this.#bytes.subarray(0, first.start)];
    const written = new Set<string>();
    for (const line of this.#lines) {
      const name = this.#nameOf(line);
      if (name !== 'data' && name !== 'retry') parts.push(this.#bytes.subarray(line.start, line.next));
      else if (!written.has(name)) {
        written.add(name);
        if (name === 'retry') parts.push(RETRY, this.retry ?? EMPTY, lineEnd);
        else for (const text of linesOf(this.data ?? EMPTY)) parts.push(DATA, text, lineEnd);
      }
    }
    return parts;
  }

  #valuesOf(name: string): Buffer[] {
    return this.#lines
      .filter((line) => this.#nameOf(line) === name)
      .map(({ colon, end }) => {
        if (colon === -1) return EMPTY;
        const from = this.#bytes[colon + 1] === SPACE && colon + 1 < end ? colon + 2 : colon + 1;
        return this.#bytes.subarray(from, end);
      });
  }

  #nameOf({ start, colon, end }: Line): string {
    return this.#bytes.toString('latin1', start, colon === -1 ? end : colon);
  }
}

const DATA = Buffer.from('data: ');
const RETRY = Buffer.from('retry: ');

/** Each is a field of its own, whatever ends it. */
function linesOf(text: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const byte = text[at];
    if (byte !== LF && byte !== CR) continue;
    lines.push(text.subarray(start, at));
    if (byte === CR && text[at + 1] === LF) at++;
    start = at + 1;
  }
  lines.push(text.subarray(start));
  return lines;
}

/** @param contentType a value, or undefined */
export function isEventStream(contentType: string | undefined): boolean {
  return contentType !== undefined && /^\s*text\/event-stream\s*(?:;|$)/i.test(contentType);
}

export interface BlockSink {
  /** Bytes that belong to no message: comments between them, ends of lines. Valid during the call. */
  between(bytes: Buffer, start: number, end: number): void;
  /** A message is complete. Its bytes stay as they are until the next `take`. */
  message(block: EventBlock): void;
}

/** Fed piece by piece, wherever it is cut. */
export class EventBlocks {
  readonly #sink: BlockSink;
  readonly #reserve: (bytes: number) => boolean;
  readonly #most: number;
  /** Of the message under way. */
  #bytes = Buffer.allocUnsafe(FIRST_SIZE);
  #length = 0;
  #lines: Line[] = [];
  #lineStart = 0;
  #colon = -1;
  #first = true;
  /** The CR that ended what is gone may have been the half of a CRLF. */
  #afterCr = false;

  /**
   * @param most bytes of a message
   * @param reserve memory beyond a first kilobyte, until the message has gone
   */
  constructor(sink: BlockSink, most: number, reserve: (bytes: number) => boolean) {
    this.#sink = sink;
    this.#most = most;
    this.#reserve = reserve;
  }

  /**
   * Reads up to the end of the next message, and tells of it.
   * @returns how far it has come; -1 = a message is larger than it may be, or there is no memory for it
   */
  take(chunk: Buffer, start: number, end: number): number {
    let at = start;
    if (this.#afterCr && at < end) {
      this.#afterCr = false;
      if (chunk[at] === LF) {
        if (!this.#endCrLf(chunk, at)) return -1;
        at++;
      }
    }
    while (at < end) {
      const stop = lineEndIn(chunk, at, end);
      if (this.#colon === -1) {
        const colon = chunk.subarray(at, stop).indexOf(COLON);
        if (colon !== -1) this.#colon = this.#length + colon;
      }
      let next = stop;
      // Behind a CR that is the last of a message, nobody waits to see whether an LF follows.
      if (stop < end) next = chunk[stop] === CR && chunk[stop + 1] === LF && stop + 1 < end ? stop + 2 : stop + 1;
      if (!this.#keep(chunk, at, next)) return -1;
      at = next;
      if (stop === end) break;
      this.#afterCr = chunk[next - 1] === CR && next === end;
      if (this.#lineEnded(next - stop)) return at;
    }
    return at;
  }

  /** No more comes. What has no empty line behind it is a message, too, to be on the safe side. */
  end(): void {
    if (this.#length > this.#lineStart) this.#lineEnded(0);
    if (this.#lines.length > 0) this.#tell();
  }

  /** The end of the last line goes on in another piece. */
  #endCrLf(chunk: Buffer, at: number): boolean {
    const last = this.#lines.pop();
    if (last === undefined) {
      this.#sink.between(chunk, at, at + 1);
      return true;
    }
    if (!this.#keep(chunk, at, at + 1)) return false;
    this.#lines.push({ ...last, next: this.#length });
    this.#lineStart = this.#length;
    return true;
  }

  /** @returns whether a message was complete */
  #lineEnded(width: number): boolean {
    const end = this.#length - width;
    const start = this.#first && this.#bytes.subarray(0, 3).equals(BOM) && end >= 3 ? 3 : this.#lineStart;
    this.#first = false;
    const line: Line = { start, colon: this.#colon, end, next: this.#length };
    this.#colon = -1;
    this.#lineStart = this.#length;
    const empty = end === start;
    // Comments are how services keep a stream alive: they wait for no message.
    if (this.#lines.length === 0 && (empty || line.colon === start)) {
      this.#sink.between(this.#bytes, 0, this.#length);
      this.#clear();
      return false;
    }
    this.#lines.push(line);
    if (!empty) return false;
    this.#tell();
    return true;
  }

  #tell(): void {
    const block = new EventBlock(this.#bytes.subarray(0, this.#length), this.#lines, this.#reserve);
    this.#clear();
    this.#bytes = Buffer.allocUnsafe(FIRST_SIZE);
    this.#sink.message(block);
  }

  #clear(): void {
    this.#length = 0;
    this.#lineStart = 0;
    this.#lines = [];
  }

  #keep(chunk: Buffer, start: number, end: number): boolean {
    const length = this.#length + end - start;
    if (length > this.#most) return false;
    if (length > this.#bytes.length) {
      const size = Math.min(this.#most, Math.max(2 * this.#bytes.length, length));
      // Rules may put the lines of its data together.
      if (!this.#reserve(2 * size)) return false;
      const larger = Buffer.allocUnsafeSlow(size);
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    chunk.copy(this.#bytes, this.#length, start, end);
    this.#length = length;
    return true;
  }
}

/** @returns the next LF or CR, or `end` */
function lineEndIn(chunk: Buffer, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    const byte = chunk[at];
    if (byte === LF || byte === CR) return at;
  }
  return end;
}
