import { fail, isPosternError, type PosternError } from '@postern/errors';
import type { Scope } from '../cel/scope.ts';
import { Failure } from '../cel/value.ts';
import type { PolicyContext, RequestView } from '../runtime.ts';
import type { Client, LoginPlan, SessionPlan, SessionVisit, Visit } from './plan.ts';

/** @returns 3313, 5535; a failure where the app has no value */
export function visitOf(plan: LoginPlan, scope: Scope): Visit | PosternError | Failure {
  const { context } = scope;
  const { req, endpoint } = context;
  if (req === null) return fail(2300, { type: plan.type });
  const client = clientOf(plan, scope);
  if (client instanceof Failure) return client;
  if (client === null) return fail(5535, { path: plan.path, provider: plan.provider.name });
  const place = placeOf(plan, context, req);
  if (isPosternError(place)) return place;
  const { where, origin, cookiePlace } = place;
  return {
    plan,
    scope,
    context,
    req,
    client,
    realm: JSON.stringify([endpoint.accountId, where, plan.authId, plan.provider.name, client.id]),
    origin,
    cookiePlace,
    tellsTokens: plan.type === 'oauth' && plan.client !== null,
  };
}

/** Where its sessions hold. @returns 3313 */
export function placeOf(
  { cookieDomain: domain, authId }: SessionPlan,
  context: PolicyContext,
  req: RequestView,
): (Pick<SessionVisit, 'origin' | 'cookiePlace'> & { readonly where: string }) | PosternError {
  const { scheme, authority } = req.sent;
  const { endpoint } = context;
  if (domain !== '') {
    const host = authority.replace(/:\d{1,5}$/, '');
    const reason = outOfDomain(context, host, domain);
    if (reason !== '') return fail(3313, { domain, host, reason });
  }
  // Members of a pool, and an agent that comes back, are the same to visitors; what another account has there later is not.
  const where = domain === '' ? `${endpoint.proto}://${endpoint.host}` : `${endpoint.proto}://*.${domain}`;
  // Some visitors write the port that is the scheme's own, and are at the same place.
  const host = authority.endsWith(scheme === 'https' ? ':443' : ':80') ? authority.replace(/:\d{2,3}$/, '') : authority;
  return { where, origin: `${scheme}://${host}`, cookiePlace: { secure: scheme === 'https', domain, authId } };
}

function outOfDomain({ services }: PolicyContext, host: string, domain: string): string {
  if (host !== domain && !host.endsWith(`.${domain}`)) return 'the host is not under it';
  return services.sessions.isShared(domain) ? 'endpoints of other accounts are under it, too' : '';
}

/** @returns null where the server has no app of its own */
function clientOf({ client, provider }: LoginPlan, scope: Scope): Client | Failure | null {
  if (client === null) {
    const settings = scope.context.services.providers.settings(provider.name);
    return settings === null || settings.clientId === ''
      ? null
      : { id: settings.clientId, secret: settings.clientSecret };
  }
  const id = client.id.require(scope);
  const secret = client.secret.require(scope);
  if (id instanceof Failure) return id;
  if (secret instanceof Failure) return secret;
  return { id, secret };
}
