/** The options by which agents have their visitors log in, as rules (agent-protocol.md §5.3). */
import { fail } from '@postern/errors';
import { literal } from '@postern/policy';
import type { BindOptions, LoginOptions } from '@postern/protocol';
import type { PolicyAction } from '../config.ts';

/** Addresses and domains that one agent may name: the expression over them has a bound. */
const MOST_NAMED = 500;

/** @throws 301 */
export function loginActions({ oauth, oidc }: BindOptions): PolicyAction[] {
  const actions: PolicyAction[] = [];
  if (oauth !== undefined) {
    const { provider, ...options } = oauth;
    actions.push({ type: 'oauth', config: { provider, ...appOf(options) } }, ...onlyNamed('oauth', 'oauth', options));
  }
  if (oidc !== undefined) {
    const { issuerUrl, ...options } = oidc;
    const config = { issuer_url: issuerUrl, ...appOf(options) };
    actions.push({ type: 'openid-connect', config }, ...onlyNamed('openid-connect', 'oidc', options));
  }
  return actions;
}

function appOf({ clientId = '', clientSecret = '', scopes = [] }: LoginOptions): Readonly<Record<string, unknown>> {
  const app = clientId === '' ? {} : { client_id: literal(clientId), client_secret: literal(clientSecret) };
  return scopes.length === 0 ? app : { ...app, scopes };
}

/** Whoever is not named is denied; case does not matter in what people write of addresses. */
function onlyNamed(type: string, key: string, { allowEmails = [], allowDomains = [] }: LoginOptions): PolicyAction[] {
  if (allowEmails.length + allowDomains.length === 0) return [];
  if (allowEmails.length + allowDomains.length > MOST_NAMED) {
    throw fail(301, { reason: `more than ${MOST_NAMED} addresses and domains are allowed to log in` });
  }
  const email = `actions.ngrok.${key}.identity.email.lowerAscii()`;
  const emails = allowEmails.map((one) => celText(one.trim().toLowerCase()));
  const domains = allowDomains.map((one) => celText(one.trim().toLowerCase().replace(/^@/, '')));
  const conditions = [
    ...(emails.length === 0 ? [] : [`${email} in [${emails.join(', ')}]`]),
    // All behind the last @: an address may have one within quotes.
    ...(domains.length === 0 ? [] : [`${email}.substring(${email}.lastIndexOf('@') + 1) in [${domains.join(', ')}]`]),
  ];
  const expressions = [`!(${email} != '' && (${conditions.join(' || ')}))`];
  return [{ type: 'deny', config: {}, expressions, behind: type }];
}

/** JSON's escapes are CEL's, too. */
const celText = (text: string): string => JSON.stringify(text);
