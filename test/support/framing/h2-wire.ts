/**
 * HTTP/2 as bytes (RFC 9113, RFC 7541): frames and header blocks written by hand, so that tests can send what no client
 * library lets them. Header blocks are written as literals without indexing, and read as far as `:status`.
 */

import { Flag, frame, FrameType } from '@postern/edge/testing/h2-frames';

export { Flag, frame, FrameType };

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const HEADER_BYTES = 9;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** Identifier, value, … as in RFC 9113 §6.5.2. */
export function settings(...pairs: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(pairs.length * 6);
  for (const [index, [id, value]] of pairs.entries()) {
    payload.writeUInt16BE(id, index * 6);
    payload.writeUInt32BE(value, index * 6 + 2);
  }
  return frame(FrameType.settings, 0, 0, payload);
}

export function windowUpdate(stream: number, increment: number): Buffer {
  return frame(FrameType.windowUpdate, 0, stream, word(increment));
}

export function resetStream(stream: number, code: number): Buffer {
  return frame(FrameType.resetStream, 0, stream, word(code));
}

export function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** name, value, …: literals without indexing, without Huffman coding. */
export function headerBlock(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]));
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  return Buffer.concat([integer(bytes.length, 7, 0), bytes]);
}

/** RFC 7541 §5.1. */
export function integer(value: number, prefixBits: number, first: number): Buffer {
  const most = (1 << prefixBits) - 1;
  if (value < most) return Buffer.from([first | value]);
  const bytes = [first | most];
  let left = value - most;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  bytes.push(left);
  return Buffer.from(bytes);
}

/** Takes frames out of bytes as they come. */
export class FrameReader {
  #held: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): Frame[] {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const frames: Frame[] = [];
    let at = 0;
    while (this.#held.length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + this.#held.readUIntBE(at, 3);
      if (this.#held.length < end) break;
      frames.push({
        type: this.#held.readUInt8(at + 3),
        flags: this.#held.readUInt8(at + 4),
        stream: this.#held.readUInt32BE(at + 5) & 0x7fffffff,
        payload: Buffer.from(this.#held.subarray(at + HEADER_BYTES, end)),
      });
      at = end;
    }
    this.#held = this.#held.subarray(at);
    return frames;
  }
}

/** Statuses of the static table (RFC 7541 appendix A). */
const INDEXED_STATUS = new Map([
  [0x88, 200],
  [0x89, 204],
  [0x8a, 206],
  [0x8b, 304],
  [0x8c, 400],
  [0x8d, 404],
  [0x8e, 500],
]);

/** `:status`, which stands first in a response head; 0 when it is not there. The peer was told of no dynamic table. */
export function statusOf(block: Buffer): number {
  let at = 0;
  // Changes of the table's size.
  while (((block[at] ?? 0) & 0xe0) === 0x20) at += 1;
  const first = block[at] ?? 0;
  const indexed = INDEXED_STATUS.get(first);
  if (indexed !== undefined) return indexed;
  const nameIndex = first & 0x0f;
  if (first >= 0x40 ? (first & 0x3f) < 8 || (first & 0x3f) > 14 : nameIndex < 8 || nameIndex > 14) return 0;
  const length = block[at + 1] ?? 0;
  const bytes = block.subarray(at + 2, at + 2 + (length & 0x7f));
  return Number(length < 128 ? bytes.toString('latin1') : huffmanDigits(bytes));
}

/** Digits have the shortest codes: five bits for 0 to 2, six for 3 to 9 (RFC 7541 appendix B). */
function huffmanDigits(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  let text = '';
  for (let at = 0; at + 5 <= bits.length;) {
    const five = Number.parseInt(bits.slice(at, at + 5), 2);
    const six = Number.parseInt(bits.slice(at, at + 6), 2);
    if (five <= 2) {
      text += five;
      at += 5;
    } else if (six >= 0x19 && six <= 0x1f) {
      text += six - 0x19 + 3;
      at += 6;
    } else break;
  }
  return text;
}
