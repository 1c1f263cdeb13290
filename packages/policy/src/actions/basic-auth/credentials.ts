/** The credentials of a rule, and whether a visitor's is one of them. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Scope } from '../../cel/scope.ts';
import { Failure } from '../../cel/value.ts';
import type { Template } from '../../interpolation/template.ts';
import type { Asker, Bcrypt } from '../../services.ts';
import { BCRYPT_MARK } from './schema.ts';

export interface Presented {
  readonly user: string;
  readonly password: string;
  readonly userDigest: Buffer;
  readonly passwordDigest: Buffer;
}

/** `Basic …` → what the visitor presented; null when it is none or unreadable (RFC 7617). */
export function presentedIn(header: string | undefined): Presented | null {
  const token = /^basic +([A-Za-z0-9+/\-_]+={0,2}) *$/i.exec(header ?? '')?.[1];
  if (token === undefined || token.length > 4096) return null;
  const pair = Buffer.from(token, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  if (colon === -1) return null;
  const user = pair.slice(0, colon);
  const password = pair.slice(colon + 1);
  return { user, password, userDigest: digest(user), passwordDigest: digest(password) };
}

/** One credential, taken apart. Either `secret` or `hash` is there. */
export interface Credential {
  readonly user: Buffer;
  /** Digest of the password. */
  readonly secret: Buffer | null;
  /** bcrypt. */
  readonly hash: string | null;
}

/** A credential without expressions is taken apart once; the others when their text changes. null matches nobody. */
export function credential(template: Template): (scope: Scope) => Credential | null {
  if (template.text !== null) {
    const fixed = takenApart(template.text);
    return () => fixed;
  }
  let text: string | null = null;
  let current: Credential | null = null;
  return (scope) => {
    const rendered = template.require(scope);
    if (rendered instanceof Failure) {
      scope.context.warn(`a basic-auth credential could not be filled in: ${rendered.message}`);
      return null;
    }
    if (rendered !== text) {
      text = rendered;
      current = takenApart(rendered);
    }
    return current;
  };
}

function takenApart(text: string): Credential | null {
  const colon = text.indexOf(':');
  const password = text.slice(colon + 1);
  if (colon <= 0 || password === '') return null;
  const user = digest(text.slice(0, colon));
  return password.startsWith(BCRYPT_MARK)
    ? { user, secret: null, hash: password.slice(BCRYPT_MARK.length) }
    : { user, secret: digest(password), hash: null };
}

/**
 * Whether one of them is the visitor's; null = it could not be told in time. How long it takes tells neither which user
 * names exist nor how much of a password was right.
 */
export function authorize(
  credentials: readonly (Credential | null)[],
  presented: Presented,
  bcrypt: Bcrypt,
  asker: Asker,
): boolean | Promise<boolean | null> {
  let authorized = false;
  const hashes: string[] = [];
  let anothers: string | null = null;
  for (const one of credentials) {
    if (one === null) continue;
    const sameUser = timingSafeEqual(one.user, presented.userDigest);
    if (one.secret !== null) {
      const samePassword = timingSafeEqual(one.secret, presented.passwordDigest);
      if (sameUser && samePassword) authorized = true;
    } else if (one.hash !== null) {
      if (sameUser) hashes.push(one.hash);
      else anothers ??= one.hash;
    }
  }
  if (authorized) return true;
  // A user that does not exist costs a comparison as well, of a password that is nobody's.
  if (hashes.length === 0) {
    if (anothers === null) return false;
    const asked = bcrypt.matches(`${presented.password}\u0001`, anothers, asker);
    return asked === true ? false : asked.then((verdict) => (verdict === null ? null : false));
  }
  const slow: Promise<boolean | null>[] = [];
  for (const hash of hashes) {
    const verdict = bcrypt.matches(presented.password, hash, asker);
    if (verdict === true) return true;
    slow.push(verdict);
  }
  return Promise.all(slow).then((verdicts) =>
    verdicts.includes(true) ? true : verdicts.includes(null) ? null : false,
  );
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}
