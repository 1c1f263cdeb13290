/** CRC-64/ISO and xxHash64 (seed 0), as 16 hex digits' worth of bytes, most significant first. */
const MASK = 0xffff_ffff_ffff_ffffn;
const ISO = 0xd800_0000_0000_0000n;

const CRC64: readonly bigint[] = Array.from({ length: 256 }, (_, index) => {
  let crc = BigInt(index);
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ ISO : crc >> 1n;
  return crc;
});

export function crc64(data: Uint8Array): Buffer {
  let crc = MASK;
  for (const byte of data) crc = (CRC64[Number((crc ^ BigInt(byte)) & 0xffn)] ?? 0n) ^ (crc >> 8n);
  return bigEndian(crc ^ MASK);
}

const P1 = 0x9e37_79b1_85eb_ca87n;
const P2 = 0xc2b2_ae3d_27d4_eb4fn;
const P3 = 0x1656_67b1_9e37_79f9n;
const P4 = 0x85eb_ca77_c2b2_ae63n;
const P5 = 0x27d4_eb2f_1656_67c5n;

const rotate = (value: bigint, by: bigint): bigint => ((value << by) | (value >> (64n - by))) & MASK;
const round = (lane: bigint, input: bigint): bigint => (rotate((lane + input * P2) & MASK, 31n) * P1) & MASK;
const merge = (hash: bigint, lane: bigint): bigint => ((hash ^ round(0n, lane)) * P1 + P4) & MASK;

export function xxhash64(bytes: Uint8Array): Buffer {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  let hash = P5;
  if (data.length >= 32) {
    let [a, b, c, d] = [(P1 + P2) & MASK, P2, 0n, (MASK + 1n - P1) & MASK];
    for (; at + 32 <= data.length; at += 32) {
      a = round(a, data.readBigUInt64LE(at));
      b = round(b, data.readBigUInt64LE(at + 8));
      c = round(c, data.readBigUInt64LE(at + 16));
      d = round(d, data.readBigUInt64LE(at + 24));
    }
    hash = (rotate(a, 1n) + rotate(b, 7n) + rotate(c, 12n) + rotate(d, 18n)) & MASK;
    for (const lane of [a, b, c, d]) hash = merge(hash, lane);
  }
  hash = (hash + BigInt(data.length)) & MASK;
  for (; at + 8 <= data.length; at += 8) {
    hash = (rotate(hash ^ round(0n, data.readBigUInt64LE(at)), 27n) * P1 + P4) & MASK;
  }
  if (at + 4 <= data.length) {
    hash = (rotate(hash ^ ((BigInt(data.readUInt32LE(at)) * P1) & MASK), 23n) * P2 + P3) & MASK;
    at += 4;
  }
  for (; at < data.length; at++) hash = (rotate(hash ^ ((BigInt(data[at] ?? 0) * P5) & MASK), 11n) * P1) & MASK;
  hash = ((hash ^ (hash >> 33n)) * P2) & MASK;
  hash = ((hash ^ (hash >> 29n)) * P3) & MASK;
  return bigEndian(hash ^ (hash >> 32n));
}

function bigEndian(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}
