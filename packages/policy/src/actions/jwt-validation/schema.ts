/** traffic-policy.md §4 jwt-validation */
import * as z from 'zod/mini';
import { hasExpression } from '../../interpolation/scan.ts';
import { listOf, text, verify, withDefault, type Problem } from '../../schema/fields.ts';
import { isHeaderName } from '../../schema/headers.ts';
import { printable } from '../../schema/printable.ts';
import { describeAction } from '../descriptor.ts';

/** Those that a published key can check: no `none`, and none whose key both sides know (RFC 8725 §3.1). */
export const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;

export type Algorithm = (typeof ALGORITHMS)[number];

export const TOKEN_TYPES = ['id_token', 'access_token', 'at+jwt', 'it+jwt', 'plain', 'jwt'] as const;

export type TokenType = (typeof TOKEN_TYPES)[number];

const MAX_URL = 2048;

/** Published samples have an object where the documentation's table says list. */
function oneOf<T extends z.ZodMiniType>(schema: T) {
  return z.pipe(
    z.transform((value: unknown) => (Array.isArray(value) && value.length === 1 ? (value[0] as unknown) : value)),
    schema,
  );
}

function urlProblem(written: string): Problem | null {
  if (hasExpression(written)) return null;
  const problem = (reason: string): Problem => ({ number: 2226, facts: { value: printable(written), reason } });
  if (!URL.canParse(written)) return problem('it does not parse');
  const { protocol, username, password } = new URL(written);
  // Without TLS only where the operator has named the address: nobody else can be asked so.
  if (protocol !== 'https:' && protocol !== 'http:') return problem('it must begin with https://');
  return username === '' && password === '' ? null : problem('it may not have a user name');
}

const allowList = z.strictObject({
  allow_list: listOf(z.strictObject({ value: text.check(z.minLength(1), z.maxLength(MAX_URL)) }), 1, 100),
});

const token = z
  .strictObject({
    type: z.enum(TOKEN_TYPES),
    method: z.enum(['header', 'body']),
    name: text.check(z.minLength(1), z.maxLength(1024)),
    prefix: withDefault(text.check(z.maxLength(256)), ''),
  })
  .check(
    verify(({ method, name }: { method: string; name: string }): Problem | null =>
      method === 'body' || hasExpression(name) || isHeaderName(name)
        ? null
        : { number: 2210, facts: { name: printable(name) } },
    ),
  );

const keys = z.strictObject({
  identification: z.optional(oneOf(z.strictObject({ token_claims: listOf(z.enum(['kid']), 1, 1) }))),
  sources: oneOf(
    z.strictObject({
      additional_jkus: listOf(text.check(z.minLength(1), z.maxLength(MAX_URL), verify(urlProblem)), 1, 10),
    }),
  ),
});

export const jwtValidationSchema = z.strictObject({
  issuer: allowList,
  audience: z.optional(allowList),
  http: z.strictObject({ tokens: listOf(token, 1, 10) }),
  jws: z.strictObject({ allowed_algorithms: listOf(z.enum(ALGORITHMS), 1, 100), keys: oneOf(keys) }),
});

export const jwtValidationAction = describeAction({
  type: 'jwt-validation',
  phases: ['on_http_request'],
  resultKey: 'jwt_validation',
  config: () => jwtValidationSchema,
});
