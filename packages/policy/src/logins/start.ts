/** The first step of a log-in: away to the provider (RFC 6749 §4.1.1, RFC 7636, OpenID Connect Core §3.1.2). */
import { isPosternError } from '@postern/errors';
import type { Step } from '../actions/action.ts';
import { EMPTY_BODY, failed } from '../actions/outcome.ts';
import type { Outcome } from '../runtime.ts';
import type { Places, Visit } from './plan.ts';
import { challengeOf, nonceOf, sealState, secretFor, shortRealm, tagOf, verifierOf } from './sealed.ts';

/** @param again whether the provider shall ask for the password although it knows the visitor */
export function start(visit: Visit, target: string, again: boolean): Step | Promise<Step> {
  const places = visit.plan.provider.places(visit);
  if (places instanceof Promise)
    return places.then((found) => (isPosternError(found) ? failed(found) : away(visit, found, target, again)));
  return isPosternError(places) ? failed(places) : away(visit, places, target, again);
}

function away(visit: Visit, places: Places, target: string, again: boolean): Outcome {
  const { plan, context, client, origin } = visit;
  const { sessions, providers } = context.services;
  const { secret, line } = secretFor(visit);
  const id = sessions.random().slice(0, 22);
  const state = sealState(sessions, {
    id,
    tag: tagOf(secret, id),
    realm: shortRealm(visit.realm),
    origin,
    target,
    at: context.now(),
  });
  const url = new URL(places.authorizeUrl);
  const params: (readonly [string, string])[] = [
    ...places.always,
    ...plan.params,
    ...(again ? places.again : []),
    ['response_type', 'code'],
    ['client_id', client.id],
    ['redirect_uri', providers.callbackUrl],
    ['state', state],
  ];
  if (plan.scope !== '') params.push(['scope', plan.scope]);
  if (places.keysUrl !== '') params.push(['nonce', nonceOf(secret, id)]);
  if (places.usesPkce) {
    params.push(['code_challenge', challengeOf(verifierOf(secret, id))], ['code_challenge_method', 'S256']);
  }
  for (const [name, value] of params) url.searchParams.set(name, value);
  return sendTo(url.href, line === null ? [] : [line]);
}

/** Nobody keeps the answer, and nobody is told where its visitor was. */
export function sendTo(location: string, cookies: readonly string[]): Outcome {
  return redirect(302, location, cookies);
}

/** The same behind a form that was posted: what is there is asked for by GET. */
export function seeOther(location: string, cookies: readonly string[]): Outcome {
  return redirect(303, location, cookies);
}

function redirect(status: number, location: string, cookies: readonly string[]): Outcome {
  const headers: (readonly [string, string])[] = [
    ['location', location],
    ['cache-control', 'no-store'],
    ['referrer-policy', 'no-referrer'],
  ];
  for (const line of cookies) headers.push(['set-cookie', line]);
  return { kind: 'respond', status, headers, body: EMPTY_BODY };
}
