/**
 * A signed token, taken apart (RFC 7515 §3.1, §5.2; RFC 7519 §7.2). Nothing is decoded before the text has a bound and
 * three parts; every part is decoded once, and what was read of it then is what is used.
 */
import { isDeep } from '../../cel/functions/json.ts';
import type { Algorithm } from './schema.ts';

export type Members = Readonly<Record<string, unknown>>;

export interface Token<Alg extends string = Algorithm> {
  /** All of it, as it was sent. */
  readonly text: string;
  readonly header: Members;
  readonly algorithm: Alg;
  /** '' = it names no key. */
  readonly kid: string;
  readonly payload: Members;
  /** What the signature is of: the first two parts as they were sent. */
  readonly signed: Buffer;
  readonly signature: Buffer;
}

/** Of a token: characters. */
export const LONGEST_TOKEN = 16_384;
const MOST_DEPTH = 32;

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @returns why it is none that could be looked at, as words behind "the token" */
export function readToken<Alg extends string>(text: string, allowed: ReadonlySet<Alg>): Token<Alg> | string {
  if (text.length > LONGEST_TOKEN) return `has more than ${LONGEST_TOKEN} characters`;
  const [first = '', second = '', third = '', ...more] = text.split('.', 4);
  if (third === '' || more.length > 0) return 'is none that is signed';
  const header = membersOf(first);
  const payload = membersOf(second);
  const signature = bytesOf(third);
  if (header === null || payload === null || signature === null) return 'cannot be decoded';
  // Nothing is understood of what it says has to be understood (RFC 7515 §4.1.11).
  if (header['crit'] !== undefined) return 'asks for extensions';
  const { alg, kid = '' } = header;
  if (!isAllowed(alg, allowed)) return 'is signed by an algorithm that is not allowed';
  if (typeof kid !== 'string') return 'names its key by what is no text';
  const signed = Buffer.from(text.slice(0, first.length + 1 + second.length), 'ascii');
  return { text, header, algorithm: alg, kid, payload, signed, signature };
}

function isAllowed<Alg extends string>(alg: unknown, allowed: ReadonlySet<Alg>): alg is Alg {
  const names: ReadonlySet<unknown> = allowed;
  return names.has(alg);
}

/** Strictly (RFC 7515 §2): no padding, no other characters, no bits behind the last byte. */
function bytesOf(part: string): Buffer | null {
  const bytes = Buffer.from(part, 'base64url');
  return part !== '' && bytes.toString('base64url') === part ? bytes : null;
}

function membersOf(part: string): Members | null {
  const bytes = bytesOf(part);
  if (bytes === null) return null;
  let value: unknown;
  try {
    value = JSON.parse(UTF8.decode(bytes));
  } catch {
    return null;
  }
  return isMembers(value) && !isDeep(value, MOST_DEPTH) ? value : null;
}

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
