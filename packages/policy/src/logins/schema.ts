/** What both actions that log visitors in can be told (traffic-policy.md §4 oauth, openid-connect). */
import * as z from 'zod/mini';
import { duration } from '../schema/duration.ts';
import { flag, listOf, text, verify, withDefault, type Problem } from '../schema/fields.ts';
import { printable } from '../schema/printable.ts';

const SECOND_MS = 1_000;
const YEAR_MS = 365 * 86_400_000;
/** Where the policy says nothing. */
export const MAX_SESSION_MS = 86_400_000;

/** What makes a log-in safe cannot be written over. */
const OURS: ReadonlySet<string> = new Set([
  'client_id',
  'client_secret',
  'code_challenge',
  'code_challenge_method',
  'nonce',
  'redirect_uri',
  'request',
  'request_uri',
  'response_mode',
  'response_type',
  'scope',
  'state',
]);
const MOST_PARAMS = 20;

const params = z.record(z.string(), text.check(z.maxLength(1_024))).check(
  verify((given: Record<string, string>): Problem | null => {
    const names = Object.keys(given);
    if (names.length > MOST_PARAMS) return { number: 2218, facts: { count: names.length, max: MOST_PARAMS } };
    const name = names.find((one) => one === '' || one.length > 128 || OURS.has(one.toLowerCase()));
    if (name === undefined) return null;
    return { number: 2204, facts: { reason: `the parameter "${printable(name)}" is not one that a policy can set` } };
  }),
);

/** A domain as browsers take it (RFC 6265 §5.2.3), with more than one label. */
const DOMAIN = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?){1,10}$/;

const cookieDomain = z.pipe(
  z.transform((value: unknown) => (typeof value === 'string' ? value.toLowerCase().replace(/^\./, '') : value)),
  z
    .string()
    .check(
      verify((domain: string): Problem | null =>
        domain === '' || (DOMAIN.test(domain) && !/^[\d.]+$/.test(domain))
          ? null
          : { number: 2243, facts: { domain: printable(domain) } },
      ),
    ),
);

const interval = duration(SECOND_MS, YEAR_MS);

export const loginFields = {
  auth_id: withDefault(text.check(z.maxLength(256)), ''),
  client_id: withDefault(text.check(z.maxLength(1_024)), ''),
  client_secret: withDefault(text.check(z.maxLength(4_096)), ''),
  scopes: withDefault(listOf(text.check(z.minLength(1), z.maxLength(256)), 0, 50), []),
  authz_url_params: withDefault(params, {}),
  max_session_duration: withDefault(interval, MAX_SESSION_MS),
  idle_session_timeout: z.optional(interval),
  userinfo_refresh_interval: z.optional(interval),
  allow_cors_preflight: withDefault(flag, false),
  auth_cookie_domain: withDefault(cookieDomain, ''),
};
