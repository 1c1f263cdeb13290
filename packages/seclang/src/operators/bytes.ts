/** Operators that ask whether bytes are what they should be. They match where that is not so. */
import { Mistake } from '../syntax/problem.ts';
import { hexAt } from '../transformations/hex.ts';
import { MATCHED, type Operator } from './operator.ts';

/** `1-255,9`: any other byte is a match. @throws Mistake */
export function validateByteRange(argument: string): Operator {
  const allowed = new Uint8Array(256);
  for (const part of argument.split(',')) {
    const [from, to] = part.trim().split('-').map(Number);
    const last = to ?? from;
    if (from === undefined || last === undefined || !(from >= 0 && last <= 255 && from <= last))
      throw new Mistake(`"${part.trim()}" is no range of bytes`);
    allowed.fill(1, from, last + 1);
  }
  return (value) => {
    for (let at = 0; at < value.length; at++) if (allowed[value.charCodeAt(at) & 0xff] === 0) return MATCHED;
    return null;
  };
}

/** A percent sign without two hexadecimal digits behind it. */
export function validateUrlEncoding(): Operator {
  return (value) => {
    for (let at = value.indexOf('%'); at >= 0; at = value.indexOf('%', at + 1)) {
      if (hexAt(value, at + 1, 2) < 0) return MATCHED;
    }
    return null;
  };
}

export function validateUtf8Encoding(): Operator {
  return (value) => {
    for (let at = 0; at < value.length;) {
      const length = utf8Length(value, at);
      if (length === 0) return MATCHED;
      at += length;
    }
    return null;
  };
}

/** Bytes of the character at `at`; 0 = it is none of UTF-8 (RFC 3629). */
function utf8Length(text: string, at: number): number {
  const first = text.charCodeAt(at);
  if (first < 0x80) return 1;
  const length =
    first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > text.length) return 0;
  for (let i = 1; i < length; i++) if ((text.charCodeAt(at + i) & 0xc0) !== 0x80) return 0;
  const second = text.charCodeAt(at + 1);
  const wrong =
    (first === 0xe0 && second < 0xa0) ||
    (first === 0xed && second > 0x9f) ||
    (first === 0xf0 && second < 0x90) ||
    (first === 0xf4 && second > 0x8f);
  return wrong ? 0 : length;
}
