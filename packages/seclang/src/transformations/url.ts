/** What URLs carry: percent signs, in both spellings that are in use. */
import { byteOfCodePoint, hexAt } from './hex.ts';

/** @param plus whether a plus is a space */
export function urlDecode(text: string, plus = true): string {
  if (!text.includes('%') && !(plus && text.includes('+'))) return text;
  let out = '';
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '%') {
      const byte = hexAt(text, at + 1, 2);
      if (byte >= 0) {
        out += String.fromCharCode(byte);
        at += 2;
        continue;
      }
    }
    out += char === '+' && plus ? ' ' : char;
  }
  return out;
}

/** As `urlDecode`, and `%uXXXX` as IIS takes it. */
export function urlDecodeUni(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  let out = '';
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char !== '%') {
      out += char === '+' ? ' ' : char;
      continue;
    }
    const wide = (text.charCodeAt(at + 1) | 0x20) === 117 ? hexAt(text, at + 2, 4) : -1;
    if (wide >= 0) {
      out += String.fromCharCode(byteOfCodePoint(wide));
      at += 5;
      continue;
    }
    const byte = hexAt(text, at + 1, 2);
    if (byte < 0) {
      out += char;
      continue;
    }
    out += String.fromCharCode(byte);
    at += 2;
  }
  return out;
}

export function urlEncode(text: string): string {
  let out = '';
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === ' ') out += '+';
    else if (/[A-Za-z0-9*]/.test(char)) out += char;
    else out += `%${text.charCodeAt(at).toString(16).padStart(2, '0')}`;
  }
  return out;
}

/** Multi-byte characters become `%uXXXX`, so that patterns of ASCII can tell them. */
export function utf8ToUnicode(text: string): string {
  // oxlint-disable-next-line no-control-regex
  if (!/[\x80-\xff]/.test(text)) return text;
  let out = '';
  for (let at = 0; at < text.length;) {
    const { value, length } = sequenceAt(text, at);
    if (length > 1) out += `%u${value.toString(16).padStart(4, '0')}`;
    else out += text.charAt(at);
    at += length;
  }
  return out;
}

/** The character of UTF-8 at `at`; length 1 for what is none (or is longer than it need be). */
function sequenceAt(text: string, at: number): { value: number; length: number } {
  const first = text.charCodeAt(at);
  const length = first >= 0xf0 && first < 0xf8 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  if (length === 1 || first >= 0xf8 || at + length > text.length) return { value: first, length: 1 };
  let value = first & (0xff >> (length + 1));
  for (let i = 1; i < length; i++) {
    const next = text.charCodeAt(at + i);
    if ((next & 0xc0) !== 0x80) return { value: first, length: 1 };
    value = value * 64 + (next & 0x3f);
  }
  const least = [0, 0, 0x80, 0x800, 0x10000][length] ?? 0;
  const surrogate = value >= 0xd800 && value <= 0xdfff;
  return value < least || value > 0x10ffff || surrogate ? { value: first, length: 1 } : { value, length };
}
