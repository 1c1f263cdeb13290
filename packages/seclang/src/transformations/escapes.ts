/** What languages write with a backslash: JavaScript, CSS, C. */
import { byteOfCodePoint, hexAt, hexValue } from './hex.ts';

const SHORT: ReadonlyMap<string, string> = new Map([
  ['a', '\x07'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
]);

export function jsDecode(text: string): string {
  return decode(text, (at) => {
    const char = text.charAt(at + 1);
    if (char === 'u') {
      const value = hexAt(text, at + 2, 4);
      if (value >= 0) return { char: String.fromCharCode(byteOfCodePoint(value)), next: at + 6 };
    }
    if (char === 'x') {
      const value = hexAt(text, at + 2, 2);
      if (value >= 0) return { char: String.fromCharCode(value), next: at + 4 };
    }
    const octal = octalAt(text, at + 1);
    if (octal !== null) return octal;
    return { char: SHORT.get(char) ?? char, next: at + 2 };
  });
}

export function cssDecode(text: string): string {
  return decode(text, (at) => {
    let end = at + 1;
    while (end < text.length && end < at + 7 && hexValue(text.charCodeAt(end)) >= 0) end++;
    if (end === at + 1) {
      // A line break that is escaped is none.
      const char = text.charAt(at + 1);
      return { char: char === '\n' ? '' : char, next: at + 2 };
    }
    const value = Number.parseInt(text.slice(at + 1, end), 16);
    const space = /^[ \t\n\v\f\r]$/.test(text.charAt(end));
    const wide = end - at - 1 >= 4 && (value & 0xff00) === 0xff00 ? byteOfCodePoint(value & 0xffff) : value & 0xff;
    return { char: String.fromCharCode(wide), next: space ? end + 1 : end };
  });
}

export function escapeSeqDecode(text: string): string {
  return decode(text, (at) => {
    const char = text.charAt(at + 1);
    if (char === 'x' || char === 'X') {
      const value = hexAt(text, at + 2, 2);
      return value >= 0 ? { char: String.fromCharCode(value), next: at + 4 } : { char: '\\', next: at + 1 };
    }
    const octal = octalAt(text, at + 1);
    if (octal !== null) return octal;
    const short = SHORT.get(char) ?? (/^[\\?'"]$/.test(char) ? char : null);
    return short === null ? { char: '\\', next: at + 1 } : { char: short, next: at + 2 };
  });
}

/** Up to three octal digits, up to 255. */
function octalAt(text: string, from: number): { char: string; next: number } | null {
  let end = from;
  while (end < text.length && end < from + 3 && text.charCodeAt(end) >= 48 && text.charCodeAt(end) <= 55) end++;
  if (end === from) return null;
  if (end === from + 3 && text.charCodeAt(from) > 51) end--;
  return { char: String.fromCharCode(Number.parseInt(text.slice(from, end), 8)), next: end };
}

function decode(text: string, at: (position: number) => { char: string; next: number }): string {
  let from = text.indexOf('\\');
  if (from < 0) return text;
  let out = '';
  let done = 0;
  while (from >= 0) {
    out += text.slice(done, from);
    if (from === text.length - 1) {
      done = from;
      break;
    }
    const { char, next } = at(from);
    out += char;
    done = next;
    from = text.indexOf('\\', next);
  }
  return out + text.slice(done);
}
