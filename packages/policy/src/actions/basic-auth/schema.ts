/** traffic-policy.md §4 basic-auth */
import * as z from 'zod/mini';
import { hasExpression } from '../../interpolation/scan.ts';
import { flag, listOf, text, verify, withDefault, type Problem } from '../../schema/fields.ts';
import { describeAction } from '../descriptor.ts';

/**
 * Marks a password that is given as a bcrypt hash: `user:{bcrypt}$2a$10$…`. Agents of the old protocol send only
 * hashes; whoever compiles their options into a policy writes them so.
 */
export const BCRYPT_MARK = '{bcrypt}';
const BCRYPT = /^\$2[abxy]\$(0[4-9]|1[0-4])\$[./A-Za-z0-9]{53}$/;
// oxlint-disable-next-line no-control-regex -- control characters are what RFC 7617 forbids
const CONTROL = /[\u0000-\u001f\u007f]/;

const credential = text.check(verify((value: string) => (hasExpression(value) ? null : credentialProblem(value))));

function credentialProblem(value: string): Problem | null {
  const colon = value.indexOf(':');
  if (colon === -1) return { number: 2204, facts: { reason: 'a credential is written user:password' } };
  const user = value.slice(0, colon);
  const password = value.slice(colon + 1);
  if (user === '' || CONTROL.test(user)) return { number: 2257, facts: {} };
  if (password.startsWith(BCRYPT_MARK)) {
    return BCRYPT.test(password.slice(BCRYPT_MARK.length))
      ? null
      : { number: 2204, facts: { reason: 'after {bcrypt} comes a bcrypt hash of cost 4 to 14' } };
  }
  const { length } = password;
  return length < 8 || length > 128 || CONTROL.test(password) ? { number: 2258, facts: { length } } : null;
}

const realm = text.check(
  z.maxLength(128),
  verify((value: string) =>
    /^[\x20-\x7e]*$/.test(value) ? null : { number: 2204, facts: { reason: 'a realm is printable ASCII' } },
  ),
);

export const basicAuthSchema = z.strictObject({
  credentials: listOf(credential, 1, 10),
  realm: withDefault(realm, 'ngrok'),
  enforce: withDefault(flag, true),
});

export const basicAuthAction = describeAction({
  type: 'basic-auth',
  phases: ['on_http_request'],
  place: { before: 4 },
  resultKey: 'basic_auth',
  config: () => basicAuthSchema,
});
