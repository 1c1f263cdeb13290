/** traffic-policy.md §4 openid-connect */
import * as z from 'zod/mini';
import { loginFields } from '../../logins/schema.ts';
import { duration } from '../../schema/duration.ts';
import { text, verify, type Problem } from '../../schema/fields.ts';
import { printable } from '../../schema/printable.ts';
import { describeAction } from '../descriptor.ts';

function issuerProblem(written: string): Problem | null {
  const problem = (reason: string): Problem => ({ number: 2226, facts: { value: printable(written), reason } });
  if (!URL.canParse(written)) return problem('it does not parse');
  const { protocol, username, password, search, hash } = new URL(written);
  // Without TLS only where the operator has named the address: nobody else can be asked so.
  if (protocol !== 'https:' && protocol !== 'http:') return problem('it must begin with https://');
  if (search !== '' || hash !== '') return problem('it may have neither query nor fragment');
  return username === '' && password === '' ? null : problem('it may not have a user name');
}

/** Two names of one field: the documentation's, and the one that the API and the operator write. */
const { idle_session_timeout: timeout, ...fields } = loginFields;

export const openidConnectSchema = z
  .strictObject({
    issuer_url: text.check(z.minLength(1), z.maxLength(2_048), verify(issuerProblem)),
    ...fields,
    client_id: text.check(z.minLength(1), z.maxLength(1_024)),
    idle_session_timeout: timeout,
    idle_session_duration: z.optional(duration(1_000, 365 * 86_400_000)),
  })
  .check(
    verify((config: { idle_session_timeout?: number | undefined; idle_session_duration?: number | undefined }) => {
      const { idle_session_timeout: one, idle_session_duration: other } = config;
      if (one === undefined || other === undefined || one === other) return null;
      return { number: 2204, facts: { reason: 'idle_session_duration and idle_session_timeout are one and the same' } };
    }),
  );

export const openidConnectAction = describeAction({
  type: 'openid-connect',
  phases: ['on_http_request'],
  aliases: ['oidc'],
  resultKey: 'oidc',
  place: { before: 6 },
  config: () => openidConnectSchema,
});
