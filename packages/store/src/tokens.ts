/**
 * Tokens of API keys and agents: `<27-character suffix of the resource id>_<21 base62>` (api.md §3). The first part
 * finds the row, the second is the secret (125 bits), of which only a hash is kept.
 */
import { createHash, randomBytes as systemRandom, timingSafeEqual } from 'node:crypto';
import { randomBase62 } from './base62.ts';
import { isSuffix, suffixOf } from './ids.ts';

const TOKEN = /^([0-9A-Za-z]{27})_([0-9A-Za-z]{21})$/;
const SECRET_LENGTH = 21;

export interface NewToken {
  /** To be shown once and then forgotten. */
  readonly token: string;
  /** For the row's `tokenHash`. */
  readonly tokenHash: string;
}

export interface TokenParts {
  /** Suffix of the resource's id: `ak_` or `cr_` in front of it makes the id. */
  readonly idSuffix: string;
  readonly secret: string;
}

/** A new token for the resource `id`. @throws TypeError if `id` is no id. */
export function createToken(id: string, randomBytes: (size: number) => Uint8Array = systemRandom): NewToken {
  const secret = randomBase62(SECRET_LENGTH, randomBytes);
  return { token: `${suffixOf(id)}_${secret}`, tokenHash: hashToken(secret) };
}

/** The two parts of a token, or null if it is not shaped like one. */
export function splitToken(token: string): TokenParts | null {
  const match = TOKEN.exec(token);
  const idSuffix = match?.[1];
  const secret = match?.[2];
  if (idSuffix === undefined || secret === undefined || !isSuffix(idSuffix)) return null;
  return { idSuffix, secret };
}

/** SHA-256 of the secret part, hex. The secret is random and long, so a slow hash would protect nothing more. */
export function hashToken(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Compares in a time that does not depend on where the two differ. */
export function tokenMatches(secret: string, tokenHash: string): boolean {
  const given = Buffer.from(hashToken(secret));
  const known = Buffer.from(tokenHash);
  return given.length === known.length && timingSafeEqual(given, known);
}
