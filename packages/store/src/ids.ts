/**
 * Resource ids: `<prefix>_<27 base62>`, a KSUID of 4 bytes of seconds and 16 bytes of payload (api.md §3). Ids of one
 * source sort by creation even within a second, so that id-descending is newest first.
 */
import { randomBytes as systemRandom } from 'node:crypto';
import { decodeBase62, encodeBase62 } from './base62.ts';
import { timestamp } from './timestamp.ts';
import type { Timestamp } from './types.ts';

/** KSUID time zero, in seconds since 1970. */
const EPOCH_SECONDS = 1_400_000_000;
const PAYLOAD_BITS = 128n;
const PAYLOAD_LIMIT = 1n << PAYLOAD_BITS;
const SUFFIX_LENGTH = 27;
const SUFFIX = /^[0-9A-Za-z]{27}$/;
/** 2^160 - 1: 27 digits could spell more than 20 bytes hold. */
const LARGEST_SUFFIX = encodeBase62((1n << 160n) - 1n, SUFFIX_LENGTH);

export interface IdSource {
  /** A new id, larger than every earlier one of this source: `next('ep')` → `ep_…`. */
  next(prefix: string): string;
}

export interface IdSourceOptions {
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly randomBytes?: (size: number) => Uint8Array;
}

/**
 * Within a second the payload is counted up; when the clock steps back the last second is kept. Ids are no secrets:
 * what must not be guessed is a token's secret part (tokens.ts).
 */
export function createIdSource(options: IdSourceOptions = {}): IdSource {
  const now = options.now ?? Date.now;
  const randomBytes = options.randomBytes ?? systemRandom;
  let lastSecond = -1n;
  let payload = 0n;

  function nextValue(): bigint {
    const second = BigInt(Math.max(0, Math.floor(now() / 1000) - EPOCH_SECONDS));
    if (second > lastSecond) {
      lastSecond = second;
      payload = BigInt(`0x${Buffer.from(randomBytes(16)).toString('hex')}`);
    } else if (++payload === PAYLOAD_LIMIT) {
      lastSecond += 1n;
      payload = 0n;
    }
    return (lastSecond << PAYLOAD_BITS) | payload;
  }

  return { next: (prefix) => `${prefix}_${encodeBase62(nextValue(), SUFFIX_LENGTH)}` };
}

/** Whether `text` is an id of this kind: `isId('ep', 'ep_2na2Kih…')`. */
export function isId(prefix: string, text: string): boolean {
  return text.startsWith(`${prefix}_`) && isSuffix(text.slice(prefix.length + 1));
}

/** Whether `text` is what follows the prefix in an id. */
export function isSuffix(text: string): boolean {
  return SUFFIX.test(text) && text <= LARGEST_SUFFIX;
}

/** The 27 characters after the prefix. A tunnel and its endpoint share them. @throws TypeError if it is no id. */
export function suffixOf(id: string): string {
  const suffix = id.slice(id.lastIndexOf('_') + 1);
  if (!id.includes('_') || !isSuffix(suffix)) throw new TypeError(`not an id: ${JSON.stringify(id)}`);
  return suffix;
}

/** The second in which an id was made. @throws TypeError if it is no id. */
export function timestampOf(id: string): Timestamp {
  const seconds = Number(decodeBase62(suffixOf(id)) >> PAYLOAD_BITS) + EPOCH_SECONDS;
  return timestamp(seconds * 1000);
}
