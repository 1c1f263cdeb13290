/** A provider that says by itself where it is (OpenID Connect Discovery §4). */
import { isPosternError, type PosternError } from '@postern/errors';
import { askerOf, ask, notAsked, noUse } from '../../logins/ask.ts';
import { textAt } from '../../logins/members.ts';
import type { Asked, Places, Provider, Visit } from '../../logins/plan.ts';
import { identityOf, type Identity, type Tokens } from '../../logins/session.ts';
import type { Published } from '../../services.ts';
import type { Members } from '../jwt-validation/token.ts';

export function discovered(issuerUrl: string, scopes: readonly string[]): Provider {
  const url = `${issuerUrl.replace(/\/$/, '')}/.well-known/openid-configuration`;
  // Refresh tokens come to those who ask for consent with it (OpenID Connect Core §11); §3.1.2.1 for the password.
  const offline = scopes.includes('offline_access');
  const prompts: Pick<Places, 'always' | 'again'> = {
    always: offline ? [['prompt', 'consent']] : [],
    again: [['prompt', offline ? 'login consent' : 'login']],
  };
  // Of one document the same places, without reading it for every visitor.
  let last: { readonly document: Members; readonly places: Places | string } | null = null;

  const read = (visit: Visit, { document }: Published): Places | PosternError => {
    if (last?.document !== document) last = { document, places: placesOf(document, issuerUrl, prompts) };
    return typeof last.places === 'string' ? noUse(visit, last.places) : last.places;
  };

  return {
    name: issuerUrl,
    places(visit) {
      const published = visit.context.services.providers.document(url, askerOf(visit));
      if (!(published instanceof Promise)) return read(visit, published);
      return published.then((found) => ('problem' in found ? notAsked(visit, found) : read(visit, found)));
    },
    identify: askUserinfo,
  };
}

/** @returns why there are none, as words behind "what the provider answered" */
function placesOf(document: Members, issuerUrl: string, prompts: Pick<Places, 'always' | 'again'>): Places | string {
  const issuer = textAt(document, 'issuer');
  // Of the slash at the end people are not sure; all else has to be the same (§4.3).
  if (issuer.replace(/\/$/, '') !== issuerUrl.replace(/\/$/, '')) return 'is for another issuer than issuer_url';
  const authorizeUrl = addressAt(document, 'authorization_endpoint');
  const tokenUrl = addressAt(document, 'token_endpoint');
  const keysUrl = addressAt(document, 'jwks_uri');
  if (authorizeUrl === '' || tokenUrl === '' || keysUrl === '') return 'does not say where it is';
  const methods = document['token_endpoint_auth_methods_supported'];
  return {
    issuer,
    namesItself: document['authorization_response_iss_parameter_supported'] === true,
    authorizeUrl,
    tokenUrl,
    userinfoUrl: addressAt(document, 'userinfo_endpoint'),
    keysUrl,
    usesBasic: !Array.isArray(methods) || methods.includes('client_secret_basic'),
    usesPkce: true,
    ...prompts,
  };
}

/** A visitor is sent there, or a secret is: nothing but the web. */
function addressAt(document: Members, name: string): string {
  const text = textAt(document, name);
  if (!URL.canParse(text)) return '';
  const { protocol } = new URL(text);
  return protocol === 'https:' || protocol === 'http:' ? text : '';
}

/** OpenID Connect Core §5.3. */
async function askUserinfo(
  visit: Visit,
  { userinfoUrl }: Places,
  tokens: Tokens,
  known: Identity | null,
  signal: AbortSignal | null,
): Promise<Asked> {
  if (userinfoUrl === '') return known ?? noUse(visit, 'names nobody');
  const headers = { authorization: `Bearer ${tokens.access}` };
  const answer = await ask(visit, { url: userinfoUrl, form: null, headers, signal });
  if (isPosternError(answer)) return answer;
  if (answer.status === 401 || answer.status === 403) return 'refused';
  if (answer.status !== 200) return noUse(visit, `has the status ${answer.status}`);
  const { sub, email, email_verified: verified, name } = answer.members;
  const identity = identityOf(sub, verified === false ? '' : email, name);
  if (identity === null) return noUse(visit, 'names nobody');
  // Another one's (§5.3.2).
  if (known !== null && identity.subject !== known.subject) return 'refused';
  const { email: mail, name: called } = known ?? identity;
  return { ...identity, email: identity.email || (verified === false ? '' : mail), name: identity.name || called };
}
