/** What a token says of itself, once its signature is right (RFC 7519 §4.1). */
import type { Token, Members } from './token.ts';
import type { TokenType } from './schema.ts';

/** By how much clocks may differ: seconds. */
const LEEWAY = 60;

interface Kind {
  /** What the header's `typ` has to be; null = anything. */
  readonly typ: string | null;
  /** Whether it has to say when it ends. */
  readonly ends: boolean;
}

/** RFC 9068 §2.1 and §2.2; OpenID Connect Core §2. The others may be tokens of any kind. */
const KINDS: Readonly<Record<TokenType, Kind>> = {
  id_token: { typ: null, ends: true },
  access_token: { typ: null, ends: false },
  'at+jwt': { typ: 'at+jwt', ends: true },
  'it+jwt': { typ: 'it+jwt', ends: true },
  plain: { typ: null, ends: false },
  jwt: { typ: null, ends: false },
};

/**
 * @param now Unix milliseconds
 * @returns why it is not a token of that kind that holds now, as words behind "the token"; null = it is
 */
export function notNow({ header, payload }: Token<string>, type: TokenType, now: number): string | null {
  const { typ, ends } = KINDS[type];
  if (typ !== null && !isTyp(header['typ'], typ)) return 'is of another type';
  const { exp, nbf, iat } = payload;
  if (!isTime(exp) || !isTime(nbf) || !isTime(iat)) return 'has a time that is no number';
  const seconds = now / 1000;
  if (exp === undefined && ends) return 'does not say when it ends';
  if (exp !== undefined && seconds >= exp + LEEWAY) return 'has expired';
  if (nbf !== undefined && seconds < nbf - LEEWAY) return 'does not hold yet';
  return iat !== undefined && seconds < iat - LEEWAY ? 'was issued in the future' : null;
}

/** Media types are compared without case, and may leave out `application/` (RFC 7515 §4.1.9). */
function isTyp(value: unknown, typ: string): boolean {
  return typeof value === 'string' && value.toLowerCase().replace(/^application\//, '') === typ;
}

function isTime(value: unknown): value is number | undefined {
  return value === undefined || (typeof value === 'number' && Number.isFinite(value));
}

/**
 * @param audiences null = any, and none
 * @returns why it is not for here, as words behind "the token"; null = it is
 */
export function notForHere(
  { iss, aud }: Members,
  issuers: readonly string[],
  audiences: readonly string[] | null,
): string | null {
  if (typeof iss !== 'string' || !issuers.includes(iss)) return 'is of an issuer that is not allowed';
  if (audiences === null) return null;
  const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  return named.some((one) => typeof one === 'string' && audiences.includes(one)) ? null : 'is for another audience';
}
