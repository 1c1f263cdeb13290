/** The extensions of a certificate (RFC 5280 §4.1.2.9), read from its DER. */
import { X509Certificate } from 'node:crypto';

export interface Extension {
  readonly id: string;
  readonly critical: boolean;
  /** What the extension holds, DER as well. */
  readonly value: Uint8Array;
}

const SEQUENCE = 0x30;
const EXTENSIONS = 0xa3;
const OBJECT_ID = 0x06;
const BOOLEAN = 0x01;

interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

/** @returns nothing for what is no certificate */
export function extensionsOf(pem: string): readonly Extension[] {
  let der: Buffer;
  try {
    der = new X509Certificate(pem).raw;
  } catch {
    return [];
  }
  const [certificate] = elements(der);
  const body = elements(certificate?.content)[0];
  const wrapped = elements(body?.content).find(({ tag }) => tag === EXTENSIONS);
  const [list] = elements(wrapped?.content);
  return elements(list?.content)
    .filter(({ tag }) => tag === SEQUENCE)
    .map(({ content }) => extension(elements(content)));
}

function extension(parts: readonly Element[]): Extension {
  const id = parts.find(({ tag }) => tag === OBJECT_ID);
  const critical = parts.find(({ tag }) => tag === BOOLEAN);
  return {
    id: objectId(id?.content ?? Buffer.alloc(0)),
    critical: (critical?.content[0] ?? 0) !== 0,
    value: new Uint8Array(parts.at(-1)?.content ?? []),
  };
}

/** Elements one behind the other; what is cut off is left out. */
function elements(bytes: Buffer = Buffer.alloc(0)): Element[] {
  const found: Element[] = [];
  for (let at = 0; at + 2 <= bytes.length;) {
    const tag = bytes.readUInt8(at);
    const short = bytes.readUInt8(at + 1);
    const lengthBytes = short < 0x80 ? 0 : short & 0x7f;
    const start = at + 2 + lengthBytes;
    if (lengthBytes > 4 || start > bytes.length) break;
    const length = lengthBytes === 0 ? short : bytes.readUIntBE(at + 2, lengthBytes);
    if (start + length > bytes.length) break;
    found.push({ tag, content: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}

/** X.690 §8.19 */
function objectId(bytes: Buffer): string {
  const numbers: number[] = [];
  let value = 0;
  for (const byte of bytes) {
    value = value * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    if (numbers.length === 0) {
      const first = Math.min(2, Math.floor(value / 40));
      numbers.push(first, value - first * 40);
    } else numbers.push(value);
    value = 0;
  }
  return numbers.join('.');
}
