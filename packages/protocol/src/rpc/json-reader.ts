import { fail } from '@postern/errors';

/** Deeper nesting than any message has; what is deeper could exhaust the stack of whoever walks it. */
const MAX_DEPTH = 64;
const DECODER = new TextDecoder('utf-8', { fatal: true });

const EMPTY = Buffer.alloc(0);
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/**
 * Collects the one JSON object of an RPC message from the pieces that a stream delivers. Messages end neither with a
 * length nor with FIN (agent-protocol.md §0, rule 2): the closing brace is the end. What follows it is ignored.
 */
export class JsonReader {
  readonly #limit: number;
  /** One buffer that grows: a message may come byte by byte, and an object for each would outweigh it by far. */
  #bytes: Buffer = EMPTY;
  #length = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #complete = false;

  /** @param limit most bytes that a message may have */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Something besides white space has arrived. */
  get started(): boolean {
    return this.#length > 0;
  }

  /**
   * Takes the next bytes; they are copied.
   * @returns whether the value is complete: then {@link value} has it
   * @throws PosternError 109 when this cannot become a JSON object within the limit
   */
  push(chunk: Buffer): boolean {
    if (this.#complete) return true;
    let start = 0;
    if (this.#length === 0) {
      while (start < chunk.length && isSpace(chunk[start])) start += 1;
      if (start === chunk.length) return false;
      if (chunk[start] !== OPEN_BRACE) throw fail(109, { reason: 'it is not a JSON object' });
    }
    const end = this.#scan(chunk, start);
    const length = this.#length + end - start;
    if (length > this.#limit) throw fail(109, { reason: `it is longer than ${this.#limit} bytes` });
    if (length > this.#bytes.length) this.#grow(length);
    chunk.copy(this.#bytes, this.#length, start, end);
    this.#length = length;
    return this.#complete;
  }

  /**
   * The parsed object, once {@link push} returned true.
   * @throws PosternError 109 when the text is not JSON
   */
  value(): unknown {
    if (!this.#complete) throw fail(109, { reason: 'it ends too early' });
    try {
      return JSON.parse(DECODER.decode(this.#bytes.subarray(0, this.#length)));
    } catch (error) {
      throw fail(109, { reason: 'it is not valid JSON' }, { cause: error });
    }
  }

  /** Most messages come whole and get exactly their length; from then on it doubles. */
  #grow(length: number): void {
    const grown = Buffer.allocUnsafe(Math.min(this.#limit, Math.max(length, 2 * this.#bytes.length)));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }

  /** Looks for the brace that closes the object; returns the offset behind it, or the end of the chunk. */
  #scan(chunk: Buffer, start: number): number {
    for (let at = start; at < chunk.length; at++) {
      const byte = chunk[at];
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) this.#inString = false;
      } else if (byte === QUOTE) {
        this.#inString = true;
      } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        this.#depth += 1;
        if (this.#depth > MAX_DEPTH) throw fail(109, { reason: 'it is nested too deeply' });
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        this.#depth -= 1;
        if (this.#depth === 0) {
          this.#complete = true;
          return at + 1;
        }
      }
    }
    return chunk.length;
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
