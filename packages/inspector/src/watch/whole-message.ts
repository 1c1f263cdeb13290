/**
 * Most messages are small: head and body lie whole in one chunk, and the length is written in the head. For those it is
 * enough to pass over the lines once and look at the few that frame a message; that costs a quarter of reading them.
 * Anything else (chunked bodies, upgrades, event streams, odd lines) is for the parsers of `protocol`, and so is what
 * breaks the rules.
 */

const CR = 13;
const LF = 10;
const ZERO = 48;
const LOWER = 0x20;
const LETTER_C = 99;
const LETTER_T = 116;
const LETTER_U = 117;

const CONTENT_LENGTH = Buffer.from('content-length:');
const CONTENT_TYPE_EVENTS = Buffer.from('content-type: text/event-stream');
const TRANSFER_ENCODING = Buffer.from('transfer-encoding:');
const UPGRADE = Buffer.from('upgrade:');
const HTTP_1 = Buffer.from('http/1.');

/** @returns where the request that begins at `start` ends, when it is whole in `chunk` and plain; else -1 */
export function wholeRequestEnd(chunk: Buffer, start: number): number {
  const lineEnd = chunk.indexOf(CR, start);
  // What follows the target; other versions and methods without a target are not for here.
  if (lineEnd < start + 14 || !has(chunk, lineEnd - 8, HTTP_1) || (chunk[start] ?? 0) === 67) return -1;
  return endOf(chunk, lineEnd, 0);
}

export function isHead(chunk: Buffer, start: number): boolean {
  return chunk[start] === 72 && chunk[start + 1] === 69 && chunk[start + 4] === 0x20;
}

/** Likewise of an answer with a status from 200 on, to anything but HEAD. */
export function wholeResponseEnd(chunk: Buffer, start: number): number {
  if (chunk.length < start + 13 || !has(chunk, start, HTTP_1)) return -1;
  const status = statusAt(chunk, start);
  if (status < 200 || status > 599) return -1;
  const lineEnd = chunk.indexOf(CR, start);
  // An answer without a body may tell the length of the one that it stands for: that is for the parser.
  return lineEnd < 0 || status === 204 || status === 304 ? -1 : endOf(chunk, lineEnd, -1);
}

/** The three digits of a status line. */
export function statusAt(chunk: Buffer, start: number): number {
  const digit = (at: number): number => (chunk[start + at] ?? 0) - ZERO;
  return digit(9) * 100 + digit(10) * 10 + digit(11);
}

/** @param length of a body that no field tells of; -1 = unknown */
function endOf(chunk: Buffer, lineEnd: number, length: number): number {
  let body = length;
  let told = false;
  let at = lineEnd;
  for (;;) {
    if (chunk[at] !== CR || chunk[at + 1] !== LF) return -1;
    at += 2;
    const first = (chunk[at] ?? 0) | LOWER;
    if (chunk[at] === CR) break;
    if (first === LETTER_C) {
      if (has(chunk, at, CONTENT_TYPE_EVENTS)) return -1;
      if (has(chunk, at, CONTENT_LENGTH)) {
        // Two of them are for the parser to judge.
        if (told) return -1;
        told = true;
        body = numberAt(chunk, at + CONTENT_LENGTH.length);
        if (body < 0) return -1;
      }
    } else if (first === LETTER_T) {
      if (has(chunk, at, TRANSFER_ENCODING)) return -1;
    } else if (first === LETTER_U && has(chunk, at, UPGRADE)) return -1;
    while (at < chunk.length && chunk[at] !== CR) at++;
  }
  if (chunk[at + 1] !== LF || body < 0) return -1;
  const end = at + 2 + body;
  return end <= chunk.length ? end : -1;
}

/** Letters of either case. */
function has(chunk: Buffer, start: number, word: Buffer): boolean {
  if (start < 0 || start + word.length > chunk.length) return false;
  for (let at = 0; at < word.length; at++) {
    const byte = chunk[start + at] ?? 0;
    const lower = byte >= 65 && byte <= 90 ? byte | LOWER : byte;
    if (lower !== word[at]) return false;
  }
  return true;
}

/** Digits behind blanks, up to the end of the line; -1 for anything else. */
function numberAt(chunk: Buffer, start: number): number {
  let at = start;
  while (chunk[at] === 0x20) at++;
  const from = at;
  let value = 0;
  for (; at - from < 15; at++) {
    const digit = (chunk[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  return at === from || chunk[at] !== CR ? -1 : value;
}
