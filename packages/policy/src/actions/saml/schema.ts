/** traffic-policy.md §4 saml */
import * as z from 'zod/mini';
import { loginFields } from '../../logins/schema.ts';
import { flag, listOf, text, verify, withDefault, type Problem } from '../../schema/fields.ts';
import { describeAction } from '../descriptor.ts';

const { auth_id, auth_cookie_domain, allow_cors_preflight, max_session_duration, idle_session_timeout } = loginFields;

const PERSISTENT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent';
/** Characters; of the metadata's own bound the reader says more. */
const MOST_TEXT = 256 * 1024;

/** Names that the API's module has for the same. */
function twice(config: {
  readonly options_passthrough?: boolean | undefined;
  readonly maximum_duration?: number | undefined;
  readonly inactivity_timeout?: number | undefined;
  readonly idle_session_timeout?: number | undefined;
}): Problem | null {
  const { inactivity_timeout: one, idle_session_timeout: other } = config;
  if (one === undefined || other === undefined || one === other) return null;
  return { number: 2204, facts: { reason: 'inactivity_timeout and idle_session_timeout are one and the same' } };
}

export const samlSchema = z
  .strictObject({
    idp_metadata: text.check(z.minLength(1), z.maxLength(MOST_TEXT)),
    auth_id,
    max_session_duration,
    maximum_duration: z.optional(max_session_duration),
    idle_session_timeout,
    inactivity_timeout: idle_session_timeout,
    force_authn: withDefault(flag, false),
    allow_idp_initiated: withDefault(flag, true),
    authorized_groups: withDefault(listOf(text.check(z.minLength(1), z.maxLength(256)), 0, 100), []),
    nameid_format: withDefault(text.check(z.minLength(1), z.maxLength(256)), PERSISTENT),
    allow_cors_preflight,
    options_passthrough: z.optional(flag),
    auth_cookie_domain,
  })
  .check(verify(twice));

export const samlAction = describeAction({
  type: 'saml',
  phases: ['on_http_request'],
  resultKey: 'saml',
  place: { before: 7 },
  config: () => samlSchema,
});
