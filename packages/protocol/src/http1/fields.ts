/**
 * Scans field lines (RFC 9112 §5) and picks up those that frame or route a message while it passes them.
 */
import { COLON, CR, equalsLower, HTAB, LF, SP, TOKEN, VALUE } from './characters.ts';
import { isHopByHop } from './hop-by-hop.ts';
import { type NameTable, NO_NAMES, slotOf, Use } from './name-table.ts';
import { Refusal } from './refusal.ts';
import { isBlank } from './token-list.ts';
import type { FieldLines, RawFields } from './types.ts';

/**
 * One field section: checked when it is made, a list of names and values only for who asks. The named fields are null when
 * absent; lists that were repeated are joined by a comma. Made anew for each section: filling a young object is cheaper
 * than filling an old one. Its methods are private by name alone: a class with `#methods` brands every object it makes.
 */
export class FieldSection implements FieldLines {
  host: string | null = null;
  contentLength: string | null = null;
  transferEncoding: string | null = null;
  connection: string | null = null;
  upgrade: string | null = null;
  expect: string | null = null;
  keepAlive = '';
  noted = false;
  readonly #text: string;
  readonly #start: number;
  /** Each line is written as it would be here, and none has a name that somebody has to look at. */
  #regular = true;
  /** Begin and end of each line that concerns one hop; null = there is none. */
  #ofHop: number[] | null = null;
  #list: RawFields | null = null;

  /**
   * Reads the lines of `text` from `at`; the last line of the text is the empty one.
   * @throws Refusal for anything but `token ":" OWS value OWS CRLF`, and for repeated fields that must be single
   */
  constructor(text: string, at: number, maxFields: number, names: NameTable = NO_NAMES) {
    this.#text = text;
    this.#start = at;
    const last = text.length - 2;
    let count = 0;
    while (at < last) {
      const nameStart = at;
      let code = text.charCodeAt(at);
      const slot = code & 31;
      while (TOKEN[code] === 1) code = text.charCodeAt(++at);
      if (code !== COLON || at === nameStart) throw nameRefusal(code, at === nameStart);
      const nameEnd = at;
      code = text.charCodeAt(++at);
      while (code === SP || code === HTAB) code = text.charCodeAt(++at);
      const valueStart = at;
      while (VALUE[code] === 1) code = text.charCodeAt(++at);
      if (code !== CR || text.charCodeAt(at + 1) !== LF) throw valueRefusal(code);
      let valueEnd = at;
      while (valueEnd > valueStart && isBlank(text.charCodeAt(valueEnd - 1))) valueEnd--;
      if (valueStart !== nameEnd + 2 || valueEnd !== at || text.charCodeAt(nameEnd + 1) !== SP) this.#regular = false;
      at += 2;
      if (++count > maxFields) throw new Refusal(431, `more than ${maxFields} header fields`);
      this.notice(nameStart, nameEnd, valueStart, valueEnd);
      const uses = names[slotOf(nameEnd - nameStart, slot)] ?? 0;
      if (uses !== 0) this.use(uses, nameStart, nameEnd, at);
    }
    if (text.charCodeAt(last) !== CR) throw valueRefusal(text.charCodeAt(last));
  }

  get fields(): RawFields {
    return (this.#list ??= this.read());
  }

  get plain(): boolean {
    const { connection } = this;
    return this.#regular && (connection === null || namesNothing(connection));
  }

  get whole(): string | null {
    return this.#ofHop === null ? this.#text : null;
  }

  passing(): string {
    const end = this.#text.length - 2;
    if (this.#ofHop === null) return this.#text.substring(this.#start, end);
    let text = '';
    let from = this.#start;
    for (let index = 0; index < this.#ofHop.length; index += 2) {
      text += this.#text.substring(from, this.#ofHop[index]);
      from = this.#ofHop[index + 1] ?? end;
    }
    return text + this.#text.substring(from, end);
  }

  /** They have been checked: names end at colons, lines at CRLF. */
  private read(): RawFields {
    const fields: RawFields = [];
    const text = this.#text;
    const last = text.length - 2;
    for (let at = this.#start; at < last;) {
      const colon = text.indexOf(':', at);
      const end = text.indexOf('\r', colon);
      let from = colon + 1;
      let to = end;
      while (from < to && isBlank(text.charCodeAt(from))) from++;
      while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
      fields.push(text.substring(at, colon), text.substring(from, to));
      at = end + 2;
    }
    return fields;
  }

  private use(uses: number, nameStart: number, nameEnd: number, lineEnd: number): void {
    if ((uses & Use.noted) !== 0) this.noted = true;
    if ((uses & Use.special) !== 0) this.#regular = false;
    if ((uses & Use.ofHop) === 0 || !isHopByHop(this.#text.substring(nameStart, nameEnd).toLowerCase())) return;
    this.#ofHop ??= [];
    this.#ofHop.push(nameStart, lineEnd);
  }

  /** Lengths first: most names are dismissed by one comparison. */
  private notice(start: number, end: number, valueStart: number, valueEnd: number): void {
    const text = this.#text;
    switch (end - start) {
      case 4:
        if (equalsLower(text, start, end, 'host'))
          this.host = single(this.host, text.substring(valueStart, valueEnd), 'Host');
        break;
      case 6:
        if (equalsLower(text, start, end, 'expect'))
          this.expect = joined(this.expect, text.substring(valueStart, valueEnd));
        break;
      case 7:
        if (equalsLower(text, start, end, 'upgrade'))
          this.upgrade = joined(this.upgrade, text.substring(valueStart, valueEnd));
        break;
      case 10:
        if (equalsLower(text, start, end, 'connection')) {
          this.connection = joined(this.connection, text.substring(valueStart, valueEnd));
        } else if (equalsLower(text, start, end, 'keep-alive')) this.keepAlive = text.substring(valueStart, valueEnd);
        break;
      case 14:
        if (equalsLower(text, start, end, 'content-length')) {
          this.contentLength = single(this.contentLength, text.substring(valueStart, valueEnd), 'Content-Length');
        } else if (equalsLower(text, start, end, 'content_length')) throw imitation('Content-Length');
        break;
      case 17:
        if (equalsLower(text, start, end, 'transfer-encoding')) {
          this.transferEncoding = single(
            this.transferEncoding,
            text.substring(valueStart, valueEnd),
            'Transfer-Encoding',
          );
        } else if (equalsLower(text, start, end, 'transfer_encoding')) throw imitation('Transfer-Encoding');
        break;
      default:
    }
  }
}

/** The two values of a Connection field that nearly every message carries nominate no other field. */
function namesNothing(connection: string): boolean {
  return (
    equalsLower(connection, 0, connection.length, 'keep-alive') ||
    equalsLower(connection, 0, connection.length, 'close')
  );
}

function single(before: string | null, value: string, name: string): string {
  if (before === null) return value;
  throw new Refusal(400, before === value ? `a repeated ${name} field` : `two ${name} fields that differ`);
}

function joined(before: string | null, value: string): string {
  return before === null ? value : `${before}, ${value}`;
}

/** Some upstreams take '_' for '-' (CGI variables), so the field would frame the message there and not here. */
function imitation(name: string): Refusal {
  return new Refusal(400, `a field that imitates ${name} with an underscore`);
}

function nameRefusal(code: number, atStart: boolean): Refusal {
  if (atStart && isBlank(code)) return new Refusal(400, 'a folded or indented header line');
  if (isBlank(code)) return new Refusal(400, 'whitespace in or after a header name');
  if (code === COLON) return new Refusal(400, 'an empty header name');
  if (code === CR || code === LF) return new Refusal(400, 'a header line without a colon');
  return new Refusal(400, 'a character in a header name that is not allowed there');
}

function valueRefusal(code: number): Refusal {
  if (code === LF) return new Refusal(400, 'a line feed without carriage return in the head');
  if (code === CR) return new Refusal(400, 'a carriage return without line feed in the head');
  return new Refusal(400, 'a control byte in a header value');
}
