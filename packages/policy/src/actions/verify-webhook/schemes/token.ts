/** Nothing is signed: the sender shows the secret itself. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Scheme } from './scheme.ts';

/** The secret is a header's value. */
export function token(header: string): Scheme {
  return {
    headers: [header],
    prepare(secret) {
      const expected = digest(secret);
      return (message) => {
        const shown = message.header(header);
        return shown !== undefined && timingSafeEqual(digest(shown), expected);
      };
    },
  };
}

/** `Authorization: Basic …` (RFC 7617); the secret is written `user::password`. */
export function basicCredentials(): Scheme {
  return {
    headers: ['authorization'],
    prepare(secret) {
      const at = secret.indexOf('::');
      if (at <= 0 || at + 2 === secret.length) return 'this secret is written username::password';
      const expected = digest(`${secret.slice(0, at)}:${secret.slice(at + 2)}`);
      return (message) => {
        const shown = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(message.header('authorization') ?? '')?.[1];
        return shown !== undefined && timingSafeEqual(digest(Buffer.from(shown, 'base64')), expected);
      };
    },
  };
}

function digest(shown: string | Buffer): Buffer {
  return createHash('sha256').update(shown).digest();
}
