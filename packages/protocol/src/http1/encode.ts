/**
 * Writers of heads, chunk framing and trailers (RFC 9112 §3, §4, §7). A head is built as one latin1 string and written
 * once. Everything that goes into it is checked on the way: a line break in a name or value would be a second header,
 * and a char above 255 could become one when it is cut to a byte.
 */
import { allIn, TARGET, TOKEN, VALUE } from './characters.ts';
import type { RawFields } from './types.ts';

/** The last chunk with an empty trailer section. */
export const LAST_CHUNK: Buffer = Buffer.from('0\r\n\r\n', 'latin1');
/** Ends each chunk's data. */
export const CHUNK_END: Buffer = Buffer.from('\r\n', 'latin1');

/**
 * Head of a request as a latin1 string, ending in the empty line; for callers that write it into a buffer of theirs
 * (`latin1Write`) or to a socket with the encoding `latin1`.
 * @throws TypeError when a part is not what its place allows
 */
export function requestHeadText(method: string, target: string, fields: RawFields, minor: 0 | 1 = 1): string {
  return fieldLines(requestLine(method, target, minor), fields);
}

/** First line of a request with its CRLF, for callers that have the lines behind it as text. Throws as `requestHeadText`. */
export function requestLine(method: string, target: string, minor: 0 | 1 = 1): string {
  if (method === '' || !allIn(TOKEN, method)) throw new TypeError('the method is not a token');
  if (target === '' || !allIn(TARGET, target)) throw new TypeError('the target holds a byte that may not be there');
  return `${method} ${target} HTTP/1.${minor}\r\n`;
}

/** Head of a response as a latin1 string; an empty reason stays empty. See `requestHeadText`. */
export function responseHeadText(status: number, reason: string, fields: RawFields, minor: 0 | 1 = 1): string {
  return fieldLines(statusLine(status, reason, minor), fields);
}

/** First line of a response with its CRLF. See `requestLine`. */
export function statusLine(status: number, reason: string, minor: 0 | 1 = 1): string {
  if (!Number.isInteger(status) || status < 100 || status > 999) throw new TypeError('the status is not three digits');
  if (!allIn(VALUE, reason)) throw new TypeError('the reason holds a byte that may not be there');
  return `HTTP/1.${minor} ${status} ${reason}\r\n`;
}

/** See `requestHeadText`. */
export function encodeRequestHead(method: string, target: string, fields: RawFields, minor: 0 | 1 = 1): Buffer {
  return Buffer.from(requestHeadText(method, target, fields, minor), 'latin1');
}

/** See `responseHeadText`. */
export function encodeResponseHead(status: number, reason: string, fields: RawFields, minor: 0 | 1 = 1): Buffer {
  return Buffer.from(responseHeadText(status, reason, fields, minor), 'latin1');
}

/** `<size>\r\n` before a chunk of `length` bytes; `length` is above 0, since 0 would end the body. */
export function chunkHeader(length: number): string {
  if (!Number.isSafeInteger(length) || length <= 0) throw new TypeError('a chunk has at least one byte');
  return `${length.toString(16)}\r\n`;
}

/** The last chunk with a trailer section. */
export function encodeTrailers(fields: RawFields): Buffer {
  return fields.length === 0 ? LAST_CHUNK : Buffer.from(fieldLines('0\r\n', fields), 'latin1');
}

/** Each field as a line with its CRLF. Throws as `requestHeadText`. */
export function linesOf(fields: RawFields): string {
  return fieldText('', fields);
}

function fieldLines(start: string, fields: RawFields): string {
  return `${fieldText(start, fields)}\r\n`;
}

function fieldText(start: string, fields: RawFields): string {
  let text = start;
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? '';
    const value = fields[index + 1] ?? '';
    if (name === '' || !allIn(TOKEN, name))
      throw new TypeError(`the header name ${JSON.stringify(name)} is not a token`);
    if (!allIn(VALUE, value)) throw new TypeError(`the value of the header ${name} holds a byte that may not be there`);
    text += `${name}: ${value}\r\n`;
  }
  return text;
}
