/** Digits in ASCII order, so that encoded values of one length sort as text exactly as they sort as numbers. */
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const BASE = 62n;

/** `value` in base 62, padded with zeros to `length` digits. */
export function encodeBase62(value: bigint, length: number): string {
  let rest = value;
  let text = '';
  for (let i = 0; i < length; i++) {
    text = ALPHABET.charAt(Number(rest % BASE)) + text;
    rest /= BASE;
  }
  if (rest !== 0n) throw new RangeError(`value does not fit into ${length} base-62 digits`);
  return text;
}

/** The number that `text` spells. @throws RangeError on any other character. */
export function decodeBase62(text: string): bigint {
  let value = 0n;
  for (const character of text) {
    const digit = ALPHABET.indexOf(character);
    if (digit < 0) throw new RangeError('not a base-62 digit');
    value = value * BASE + BigInt(digit);
  }
  return value;
}

/** `length` unbiased digits: bytes that would favour the first letters are thrown away and drawn again. */
export function randomBase62(length: number, randomBytes: (size: number) => Uint8Array): string {
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(length - text.length)) {
      const six = byte & 0x3f;
      if (six < 62) text += ALPHABET.charAt(six);
    }
  }
  return text;
}
