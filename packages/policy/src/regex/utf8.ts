/**
 * Characters of bytes that should be UTF-8, read as Go does: what is no character of UTF-8 is U+FFFD, byte by byte, so
 * that any bytes have one reading, the same from both ends.
 */

const REPLACEMENT = 0xfffd;

/** The character that begins at `at`, and its width in the lowest three bits. */
export function characterAt(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return (first << 3) | 1;
  const second = at + 1 < end ? (bytes[at + 1] ?? 0) : 0;
  if (first < 0xc2 || (second & 0xc0) !== 0x80) return INVALID;
  if (first < 0xe0) return ((((first & 0x1f) << 6) | (second & 0x3f)) << 3) | 2;
  const third = at + 2 < end ? (bytes[at + 2] ?? 0) : 0;
  if ((third & 0xc0) !== 0x80) return INVALID;
  if (first < 0xf0) {
    const code = ((first & 0x0f) << 12) | ((second & 0x3f) << 6) | (third & 0x3f);
    return code < 0x800 || (code >= 0xd800 && code < 0xe000) ? INVALID : (code << 3) | 3;
  }
  const fourth = at + 3 < end ? (bytes[at + 3] ?? 0) : 0;
  if (first > 0xf4 || (fourth & 0xc0) !== 0x80) return INVALID;
  const code = ((first & 0x07) << 18) | ((second & 0x3f) << 12) | ((third & 0x3f) << 6) | (fourth & 0x3f);
  return code < 0x10000 || code > 0x10ffff ? INVALID : (code << 3) | 4;
}

/** The same of the character that ends at `at`, which is more than 0. */
export function characterBefore(bytes: Uint8Array, at: number): number {
  const last = bytes[at - 1] ?? 0;
  if (last < 0x80) return (last << 3) | 1;
  for (let width = 2; width <= 4 && width <= at; width++) {
    const first = bytes[at - width] ?? 0;
    if ((first & 0xc0) === 0x80) continue;
    const character = characterAt(bytes, at - width, at);
    return (character & 7) === width ? character : INVALID;
  }
  return INVALID;
}

const INVALID = (REPLACEMENT << 3) | 1;
