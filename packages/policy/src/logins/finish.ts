/** The last step of a log-in: the visitor is back, and the code that he brings becomes a session. */
import { fail, isPosternError, type PosternError } from '@postern/errors';
import { noUse } from './ask.ts';
import { readIdToken } from './id-token.ts';
import { personId, sessionId } from './ids.ts';
import type { Places, Visit } from './plan.ts';
import { type Hop, LOGIN_MS, nonceOf, secretOf, verifierOf } from './sealed.ts';
import { identityOf, type Identity, type Session, type Tokens } from './session.ts';
import { redeemCode } from './tokens.ts';

/** @returns the session; 3119, 3121, 3122, 3124 to 3127, 3160, 3161, 90064 */
export async function finish(visit: Visit, hop: Hop): Promise<Session | PosternError> {
  const { context, plan } = visit;
  if (hop.origin !== visit.origin) return fail(3124);
  if (context.now() - hop.at >= LOGIN_MS) return fail(3119, { minutes: LOGIN_MS / 60_000 });
  // Before anything is asked: somebody else's log-in, led into this browser, ends here.
  const secret = secretOf(visit, hop);
  if (secret === null) return fail(3121);
  if (hop.error !== '') return denied(visit, hop.error);
  if (hop.code === '') return noUse(visit, 'has no code');
  const places = await plan.provider.places(visit);
  if (isPosternError(places)) return places;
  const { issuer, namesItself } = places;
  if (hop.issuer === '' ? namesItself : issuer !== '' && hop.issuer !== issuer) {
    return noUse(visit, 'is of another issuer');
  }
  const tokens = await redeemCode(visit, places, hop.code, verifierOf(secret, hop.id));
  if (isPosternError(tokens)) return tokens;
  const known = places.keysUrl === '' ? null : await checked(visit, places, tokens, nonceOf(secret, hop.id));
  if (isPosternError(known)) return known;
  const identity = await plan.provider.identify(visit, places, tokens, known, context.signal);
  if (identity === 'refused') return noUse(visit, 'is a token that it does not take itself, or is about somebody else');
  return isPosternError(identity) ? identity : begun(visit, identity, tokens);
}

async function checked(visit: Visit, places: Places, tokens: Tokens, nonce: string): Promise<Identity | PosternError> {
  const claims = await readIdToken(visit, places, tokens.identity, nonce);
  if (isPosternError(claims)) return claims;
  const { sub, email, email_verified: verified, name } = claims;
  return identityOf(sub, verified === false ? '' : email, name) ?? noUse(visit, 'names nobody');
}

function begun({ context, plan }: Visit, identity: Identity, tokens: Tokens): Session {
  const now = context.now();
  return {
    id: sessionId(context.services.sessions, now),
    identity,
    person: personId(context.endpoint.accountId, plan.provider.name, identity.subject),
    tokens,
    config: plan.fingerprint,
    begunAt: now,
    seenAt: now,
    knownAt: now,
    askedAt: now,
  };
}

/** RFC 6749 §4.1.2.1. What a provider writes in words is not shown: anybody could write it into a link. */
function denied(visit: Visit, error: string): PosternError {
  switch (error) {
    case 'access_denied':
      return fail(3125, { reason: 'you, or a rule of it, have denied it' });
    case 'invalid_scope':
      return fail(3126);
    case 'unauthorized_client':
    case 'invalid_client':
      return fail(3127);
    case 'server_error':
    case 'temporarily_unavailable':
      return fail(3160);
    case 'login_required':
    case 'interaction_required':
    case 'consent_required':
    case 'account_selection_required':
      return fail(3125, { reason: 'it would have had to ask you something, and was told not to' });
    default:
      return noUse(visit, 'says that the log-in is asked for wrongly');
  }
}
