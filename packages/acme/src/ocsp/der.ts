/** As much of DER (X.690) as requests and answers of OCSP are made of. */

export interface Der {
  readonly tag: number;
  readonly content: Buffer;
  /** Tag, length and content. */
  readonly whole: Buffer;
}

export const TAG = { BYTES: 4, ENUM: 10, TIME: 24, SEQUENCE: 0x30 } as const;

/** The elements, one behind the other; null = they are not whole. */
export function elementsOf(bytes: Buffer): readonly Der[] | null {
  const found: Der[] = [];
  for (let at = 0; at < bytes.length;) {
    const [tag, first] = [bytes[at], bytes[at + 1]];
    if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) return null;
    const more = first < 0x80 ? 0 : first & 0x7f;
    if (first === 0x80 || more > 3 || at + 2 + more > bytes.length) return null;
    const length = more === 0 ? first : bytes.readUIntBE(at + 2, more);
    const start = at + 2 + more;
    if (start + length > bytes.length) return null;
    found.push({ tag, content: bytes.subarray(start, start + length), whole: bytes.subarray(at, start + length) });
    at = start + length;
  }
  return found;
}

/** What stands in it; [] = nothing, or nothing whole. */
export function inside(der: Der | undefined): readonly Der[] {
  return der === undefined ? [] : (elementsOf(der.content) ?? []);
}

export function encode(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const length =
    content.length < 0x80
      ? [content.length]
      : content.length < 0x100
        ? [0x81, content.length]
        : [0x82, content.length >> 8, content.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}
