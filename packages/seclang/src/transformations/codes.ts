/** Base64, hexadecimal, digests, parity. */
import { createHash } from 'node:crypto';
import { hexAt } from './hex.ts';

/** Up to the first character that is not of it. */
export function base64Decode(text: string): string {
  const end = text.search(/[^A-Za-z0-9+/]/);
  return Buffer.from(end < 0 ? text : text.slice(0, end), 'base64').toString('latin1');
}

/** Whatever is not of it is passed over. */
export function base64DecodeExt(text: string): string {
  return Buffer.from(text.replaceAll(/[^A-Za-z0-9+/]/g, ''), 'base64').toString('latin1');
}

export function base64Encode(text: string): string {
  return Buffer.from(text, 'latin1').toString('base64');
}

export function hexDecode(text: string): string {
  let out = '';
  for (let at = 0; at + 1 < text.length; at += 2) {
    const byte = hexAt(text, at, 2);
    if (byte < 0) break;
    out += String.fromCharCode(byte);
  }
  return out;
}

export function hexEncode(text: string): string {
  return Buffer.from(text, 'latin1').toString('hex');
}

/** `0x53454c454354`, as SQL has it. */
export function sqlHexDecode(text: string): string {
  return text.replaceAll(/0x([0-9a-f]{2,})/gi, (written: string, digits: string) =>
    digits.length % 2 === 0 ? Buffer.from(digits, 'hex').toString('latin1') : written,
  );
}

export function digest(algorithm: 'md5' | 'sha1'): (text: string) => string {
  return (text) => createHash(algorithm).update(text, 'latin1').digest().toString('latin1');
}

export function parity(kind: 'even' | 'odd' | 'zero'): (text: string) => string {
  return (text) => {
    let out = '';
    for (let at = 0; at < text.length; at++) {
      const seven = text.charCodeAt(at) & 0x7f;
      let bits = seven;
      bits ^= bits >> 4;
      bits ^= bits >> 2;
      const odd = ((bits ^ (bits >> 1)) & 1) === 1;
      const set = kind === 'zero' ? false : odd === (kind === 'even');
      out += String.fromCharCode(set ? seven | 0x80 : seven);
    }
    return out;
  };
}
