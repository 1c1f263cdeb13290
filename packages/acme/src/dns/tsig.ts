/** Messages that are signed with a secret that both sides know (RFC 8945): updates, and the answers to them. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { type DnsMessage, readName } from './message.ts';
import { nameBytes, TYPE } from './packet.ts';

export const ALGORITHMS = { 'hmac-sha256': 'sha256', 'hmac-sha384': 'sha384', 'hmac-sha512': 'sha512' } as const;
export type Algorithm = keyof typeof ALGORITHMS;

export interface TsigKey {
  /** Lower case, without the dot behind it. */
  readonly name: string;
  readonly algorithm: Algorithm;
  readonly secret: Buffer;
}

export interface Signed {
  readonly bytes: Buffer;
  /** What the answer is bound to. */
  readonly mac: Buffer;
}

/** Seconds that the two clocks may differ (§10: 300 is recommended). */
const FUDGE = 300;
const ANY = 255;
const ADDITIONAL_COUNT = 10;
/** §5.3.2: what servers refuse, in words for whoever wrote the setting. */
const REFUSALS: Readonly<Record<number, string>> = {
  16: 'the server has another secret for the key',
  17: 'the server does not know the key',
  18: 'the clocks of server and this machine differ too much',
  22: 'the server wants a longer signature',
};

/** @param message without such a record. @param now Unix milliseconds */
export function sign(message: Buffer, key: TsigKey, now: number): Signed {
  const time = Math.floor(now / 1_000);
  const mac = macOf(key, [message, variables(key, time, FUDGE, 0, Buffer.alloc(0))]);
  const algorithm = nameBytes(key.algorithm);
  const rest = Buffer.alloc(6);
  message.copy(rest, 0, 0, 2);
  const size = Buffer.alloc(2);
  size.writeUInt16BE(mac.length);
  const data = Buffer.concat([algorithm, timeBytes(time), uint16(FUDGE), size, mac, rest]);
  const head = Buffer.alloc(10);
  head.writeUInt16BE(TYPE.TSIG, 0);
  head.writeUInt16BE(ANY, 2);
  head.writeUInt16BE(data.length, 8);
  const bytes = Buffer.concat([message, nameBytes(key.name), head, data]);
  bytes.writeUInt16BE(message.readUInt16BE(ADDITIONAL_COUNT) + 1, ADDITIONAL_COUNT);
  return { bytes, mac };
}

/**
 * Whether an answer is of who knows the secret, and to that request.
 * @param bytes the answer, `message` what was read of them. @param now Unix milliseconds
 * @returns null = yes; else what is wrong, in words
 */
export function refusalOf(
  bytes: Buffer,
  message: DnsMessage,
  request: Signed,
  key: TsigKey,
  now: number,
): string | null {
  const record = message.additional.at(-1);
  if (record?.type !== TYPE.TSIG) return 'the answer is not signed';
  const { data, start } = record;
  const algorithm = readName(data, 0);
  if (algorithm === null || data.length < algorithm.end + 10) return 'the signature of the answer is not whole';
  const at = algorithm.end;
  const [time, fudge, size] = [data.readUIntBE(at, 6), data.readUInt16BE(at + 6), data.readUInt16BE(at + 8)];
  const rest = at + 10 + size;
  if (data.length < rest + 6) return 'the signature of the answer is not whole';
  const mac = data.subarray(at + 10, rest);
  const [error, otherLength] = [data.readUInt16BE(rest + 2), data.readUInt16BE(rest + 4)];
  const other = data.subarray(rest + 6);
  if (other.length !== otherLength) return 'the signature of the answer is not whole';
  // Who does not know the key cannot sign that.
  if (error !== 0) return `${REFUSALS[error] ?? `the server refuses the signature (${error})`} (${key.name})`;
  if (record.name !== key.name || algorithm.name !== key.algorithm) return 'the answer is signed with another key';
  const unsigned = Buffer.from(bytes.subarray(0, start));
  data.copy(unsigned, 0, rest, rest + 2);
  unsigned.writeUInt16BE(bytes.readUInt16BE(ADDITIONAL_COUNT) - 1, ADDITIONAL_COUNT);
  const expected = macOf(key, [
    uint16(request.mac.length),
    request.mac,
    unsigned,
    variables(key, time, fudge, error, other),
  ]);
  if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) return 'the signature of the answer is wrong';
  return Math.abs(now / 1_000 - time) > fudge ? 'the answer is signed at another time' : null;
}

function macOf({ algorithm, secret }: TsigKey, parts: readonly Buffer[]): Buffer {
  const hmac = createHmac(ALGORITHMS[algorithm], secret);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

/** §4.3.3 */
function variables({ name, algorithm }: TsigKey, time: number, fudge: number, error: number, other: Buffer): Buffer {
  const classAndTtl = Buffer.from([0, ANY, 0, 0, 0, 0]);
  return Buffer.concat([
    nameBytes(name),
    classAndTtl,
    nameBytes(algorithm),
    timeBytes(time),
    uint16(fudge),
    uint16(error),
    uint16(other.length),
    other,
  ]);
}

function timeBytes(seconds: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(seconds, 0, 6);
  return bytes;
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
