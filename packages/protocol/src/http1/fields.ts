/**
 * Scans field lines (RFC 9112 §5) and picks up those that frame or route a message while it passes them.
 */
import { allIn, COLON, CR, equalsLower, HTAB, LF, SP, TOKEN, VALUE } from './characters.ts';
import { Refusal } from './refusal.ts';
import type { RawFields } from './types.ts';

/**
 * One field section. The named ones are null when absent; lists that were repeated are joined by a comma. Made anew for
 * each section: filling a young object is cheaper than filling an old one.
 */
export class FieldSection {
  readonly fields: RawFields = [];
  host: string | null = null;
  contentLength: string | null = null;
  transferEncoding: string | null = null;
  connection: string | null = null;
  upgrade: string | null = null;
  expect: string | null = null;

  /**
   * Reads the lines of `text` from `at`; the last line of the text is the empty one.
   * @throws Refusal for anything but `token ":" OWS value OWS CRLF`, and for repeated fields that must be single
   */
  constructor(text: string, at: number, maxFields: number) {
    const { fields } = this;
    const last = text.length - 2;
    while (at < last) {
      const nameStart = at;
      let code = text.charCodeAt(at);
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
      at += 2;
      if (fields.length === maxFields * 2) throw new Refusal(431, `more than ${maxFields} header fields`);
      const value = text.substring(valueStart, valueEnd);
      fields.push(text.substring(nameStart, nameEnd), value);
      this.notice(text, nameStart, nameEnd, value);
    }
    if (text.charCodeAt(last) !== CR) throw valueRefusal(text.charCodeAt(last));
  }

  /** Lengths first: most names are dismissed by one comparison. */
  private notice(text: string, start: number, end: number, value: string): void {
    switch (end - start) {
      case 4:
        if (equalsLower(text, start, end, 'host')) this.host = single(this.host, value, 'Host');
        break;
      case 6:
        if (equalsLower(text, start, end, 'expect')) this.expect = joined(this.expect, value);
        break;
      case 7:
        if (equalsLower(text, start, end, 'upgrade')) this.upgrade = joined(this.upgrade, value);
        break;
      case 10:
        if (equalsLower(text, start, end, 'connection')) this.connection = joined(this.connection, value);
        break;
      case 14:
        if (equalsLower(text, start, end, 'content-length')) {
          this.contentLength = single(this.contentLength, value, 'Content-Length');
        } else if (equalsLower(text, start, end, 'content_length')) throw imitation('Content-Length');
        break;
      case 17:
        if (equalsLower(text, start, end, 'transfer-encoding')) {
          this.transferEncoding = single(this.transferEncoding, value, 'Transfer-Encoding');
        } else if (equalsLower(text, start, end, 'transfer_encoding')) throw imitation('Transfer-Encoding');
        break;
      default:
    }
  }
}

function isBlank(code: number): boolean {
  return code === SP || code === HTAB;
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

/**
 * Splits a comma-separated list of tokens, lower-case, empty elements dropped.
 * @returns null when an element is not a token (a '/' is allowed: protocol names of Upgrade)
 */
export function tokenList(value: string): string[] | null {
  const tokens: string[] = [];
  for (const part of value.split(',')) {
    const token = trimBlank(part);
    if (token === '') continue;
    if (!allIn(TOKEN, token.replace('/', ''))) return null;
    tokens.push(token.toLowerCase());
  }
  return tokens;
}

/** Trims SP and HTAB only: `String.trim` also takes what HTTP does not call whitespace. */
export function trimBlank(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.substring(start, end);
}
