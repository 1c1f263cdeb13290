/** Hexadecimal digits of texts whose characters are bytes. */

/** @returns 0 to 15, or -1 */
export function hexValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** The number that `digits` hexadecimal digits at `at` make, or -1 when there are not as many. */
export function hexAt(text: string, at: number, digits: number): number {
  let value = 0;
  for (let i = 0; i < digits; i++) {
    const digit = at + i < text.length ? hexValue(text.charCodeAt(at + i)) : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/** Code points of full-width forms stand for their ASCII letters; others keep their lowest byte. */
export function byteOfCodePoint(value: number): number {
  const low = value & 0xff;
  return value >= 0xff01 && value <= 0xff5e ? (low + 0x20) & 0xff : low;
}
