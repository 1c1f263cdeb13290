/** Ids of visitors and of their sessions, of the form that all ids of the API have: 27 digits in base 62 of 20 bytes. */
import { createHash } from 'node:crypto';
import type { Sessions } from '../services.ts';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const LENGTH = 27;
/** Where those ids count seconds from. */
const EPOCH_SECONDS = 1_400_000_000;

/** One person of one provider, to one account: the same at all its endpoints. */
export function personId(accountId: string, provider: string, subject: string): string {
  const text = JSON.stringify([accountId, provider, subject]);
  return `au_${base62(createHash('sha256').update(text).digest().subarray(0, 20))}`;
}

/** Nobody can guess it, and those that begin later come later. @param now Unix milliseconds */
export function sessionId(sessions: Sessions, now: number): string {
  const bytes = Buffer.alloc(20);
  bytes.writeUInt32BE(Math.max(0, Math.floor(now / 1_000) - EPOCH_SECONDS));
  Buffer.from(sessions.random(), 'base64url').copy(bytes, 4, 0, 16);
  return `as_${base62(bytes)}`;
}

function base62(bytes: Buffer): string {
  let rest = BigInt(`0x${bytes.toString('hex')}`);
  let text = '';
  for (let place = 0; place < LENGTH; place += 1) {
    text = DIGITS.charAt(Number(rest % 62n)) + text;
    rest /= 62n;
  }
  return text;
}
