/**
 * The line before each chunk: hexadecimal size, optional extensions, CRLF (RFC 9112 §7.1). Extensions are checked by
 * their grammar without the optional "bad" whitespace, counted against a bound, and dropped.
 */
import { CR, HEX, LF, TOKEN, VALUE } from './characters.ts';
import { Refusal } from './refusal.ts';

/** Bytes of extensions that one message may spend: they are work for us and data for nobody. */
const MAX_EXTENSION_BYTES = 16_384;
/** Digits, leading zeros included: some servers pad to a fixed width. */
const MAX_DIGITS = 16;

const SEMICOLON = 59;
const EQUALS = 61;
const QUOTE = 34;
const BACKSLASH = 92;

const FIRST_DIGIT = 0;
const DIGITS = 1;
const NAME_START = 2;
const NAME = 3;
const VALUE_START = 4;
const TOKEN_VALUE = 5;
const QUOTED = 6;
const ESCAPED = 7;
const AFTER_QUOTED = 8;
const LINE_FEED = 9;

export class ChunkLine {
  /** Size of the chunk once `done`. */
  size = 0;
  /** The line is whole. */
  done = false;
  private state = FIRST_DIGIT;
  private digits = 0;
  private extensionBytes = 0;

  /** A new message begins. */
  reset(): void {
    this.extensionBytes = 0;
    this.next();
  }

  /** The next line of the same message begins. */
  next(): void {
    this.state = FIRST_DIGIT;
    this.size = 0;
    this.digits = 0;
    this.done = false;
  }

  /**
   * @returns the offset after the last byte taken
   * @throws Refusal
   */
  take(chunk: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && !this.done) this.step(chunk[at++] ?? 0);
    return at;
  }

  private step(byte: number): void {
    if (this.state > DIGITS && this.state !== LINE_FEED && ++this.extensionBytes > MAX_EXTENSION_BYTES) {
      throw new Refusal(400, `more than ${MAX_EXTENSION_BYTES} bytes of chunk extensions`);
    }
    switch (this.state) {
      case FIRST_DIGIT:
      case DIGITS:
        this.digit(byte);
        break;
      case NAME_START:
        if (TOKEN[byte] !== 1) throw extensionRefusal();
        this.state = NAME;
        break;
      case NAME:
        if (byte === EQUALS) this.state = VALUE_START;
        else if (TOKEN[byte] !== 1) this.endOfExtension(byte);
        break;
      case VALUE_START:
        if (byte === QUOTE) this.state = QUOTED;
        else if (TOKEN[byte] === 1) this.state = TOKEN_VALUE;
        else throw extensionRefusal();
        break;
      case TOKEN_VALUE:
        if (TOKEN[byte] !== 1) this.endOfExtension(byte);
        break;
      case QUOTED:
        if (byte === QUOTE) this.state = AFTER_QUOTED;
        else if (byte === BACKSLASH) this.state = ESCAPED;
        else if (VALUE[byte] !== 1) throw extensionRefusal();
        break;
      case ESCAPED:
        if (VALUE[byte] !== 1) throw extensionRefusal();
        this.state = QUOTED;
        break;
      case AFTER_QUOTED:
        this.endOfExtension(byte);
        break;
      default:
        if (byte !== LF) throw new Refusal(400, 'a chunk line that does not end in CRLF');
        this.done = true;
    }
  }

  private digit(byte: number): void {
    const value = HEX[byte] ?? 255;
    if (value !== 255) {
      this.size = this.size * 16 + value;
      if (++this.digits > MAX_DIGITS || this.size > Number.MAX_SAFE_INTEGER) {
        throw new Refusal(400, 'a chunk size that is too large');
      }
      this.state = DIGITS;
      return;
    }
    if (this.state === FIRST_DIGIT) throw new Refusal(400, 'a chunk size that is not a hexadecimal number');
    if (byte === CR) this.state = LINE_FEED;
    else if (byte === SEMICOLON) this.state = NAME_START;
    else throw new Refusal(400, 'a chunk size that is not a hexadecimal number');
  }

  private endOfExtension(byte: number): void {
    if (byte === CR) this.state = LINE_FEED;
    else if (byte === SEMICOLON) this.state = NAME_START;
    else throw extensionRefusal();
  }
}

function extensionRefusal(): Refusal {
  return new Refusal(400, 'an invalid chunk extension');
}
