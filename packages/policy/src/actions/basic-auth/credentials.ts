/** One credential of a rule, and whether a visitor's matches it, in time that does not tell how much of it did. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Scope } from '../../cel/scope.ts';
import { Failure } from '../../cel/value.ts';
import type { Template } from '../../interpolation/template.ts';
import { matchesBcrypt } from './bcrypt.ts';
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

export type Credential = (presented: Presented, scope: Scope) => boolean | Promise<boolean>;

const NEVER: Credential = () => false;

/** A credential without expressions is taken apart once; the others at every request. */
export function credential(template: Template): Credential {
  if (template.text !== null) return test(template.text);
  let text: string | null = null;
  let current: Credential = NEVER;
  return (presented, scope) => {
    const rendered = template.require(scope);
    if (rendered instanceof Failure) {
      scope.context.warn(`a basic-auth credential could not be filled in: ${rendered.message}`);
      return false;
    }
    if (rendered !== text) {
      text = rendered;
      current = test(rendered);
    }
    return current(presented, scope);
  };
}

function test(text: string): Credential {
  const colon = text.indexOf(':');
  if (colon <= 0) return NEVER;
  const user = digest(text.slice(0, colon));
  const password = text.slice(colon + 1);
  if (password.startsWith(BCRYPT_MARK)) {
    const hash = password.slice(BCRYPT_MARK.length);
    return (presented) => {
      const sameUser = timingSafeEqual(user, presented.userDigest);
      // Asked for a wrong user too: the time of the answer must not tell which users exist.
      const matches = matchesBcrypt(presented.password, hash);
      return typeof matches === 'boolean' ? sameUser && matches : matches.then((same) => sameUser && same);
    };
  }
  const secret = digest(password);
  return (presented) => {
    const sameUser = timingSafeEqual(user, presented.userDigest);
    const samePassword = timingSafeEqual(secret, presented.passwordDigest);
    return password !== '' && sameUser && samePassword;
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}
