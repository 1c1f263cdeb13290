/**
 * Asks the provider again who a session's visitor is. One who is not known there any more has to log in; while nobody
 * answers there, what was known holds for another interval.
 */
import { isPosternError, type ErrorNumber, type ErrorParams, type PosternError } from '@postern/errors';
import type { Places, Visit } from './plan.ts';
import type { Session, Tokens } from './session.ts';
import { refresh } from './tokens.ts';

/** Before its end, a token is taken for over. */
const EARLY_MS = 5_000;
/** Between two tries while nobody answers. */
const AGAIN_MS = 30_000;

export type Renewed =
  | { readonly kind: 'renewed'; readonly session: Session }
  /** Nobody could be asked, and what is known holds for now. */
  | { readonly kind: 'kept'; readonly session: Session }
  /** The provider knows the visitor no more. */
  | { readonly kind: 'over' }
  /** What `fail` makes an error of. */
  | { readonly kind: 'failed'; readonly number: ErrorNumber; readonly params: ErrorParams };

export function isDue({ plan, context }: Visit, session: Session): boolean {
  const now = context.now();
  const due = now - session.knownAt >= plan.refreshMs || (session.config !== '' && session.config !== plan.fingerprint);
  return due && (session.askedAt === session.knownAt || now - session.askedAt >= AGAIN_MS);
}

/** Requests of one session that come at the same time share what comes of it: many refresh tokens hold once. */
export function renew(visit: Visit, session: Session): Promise<Renewed> {
  const { sessions } = visit.context.services;
  const key = `${visit.realm} ${session.id} ${session.askedAt} ${visit.plan.fingerprint}`;
  return sessions.once(
    key,
    () => again(visit, session),
    ({ kind }) => kind !== 'failed',
  );
}

async function again(visit: Visit, session: Session): Promise<Renewed> {
  const { plan, context } = visit;
  const now = context.now();
  const found = await identified(visit, session);
  if (found === 'over') return { kind: 'over' };
  if (isPosternError(found)) {
    const holds = session.config === plan.fingerprint && now - session.knownAt < 2 * plan.refreshMs;
    if (holds) return { kind: 'kept', session: { ...session, askedAt: now } };
    return { kind: 'failed', number: found.number, params: found.params };
  }
  return { kind: 'renewed', session: { ...session, ...found, config: plan.fingerprint, knownAt: now, askedAt: now } };
}

type Found = Pick<Session, 'identity' | 'tokens'>;

async function identified(visit: Visit, session: Session): Promise<Found | 'over' | PosternError> {
  const { plan, context } = visit;
  const places = await plan.provider.places(visit);
  if (isPosternError(places)) return places;
  const { expiresAt } = session.tokens;
  let { tokens } = session;
  let fresh = expiresAt === 0 || context.now() < expiresAt - EARLY_MS;
  // Where nobody can be asked about a token, getting another one is the question.
  if (places.userinfoUrl === '') fresh = false;
  for (;;) {
    if (!fresh) {
      // oxlint-disable-next-line no-await-in-loop -- the question needs the token
      const next = await refreshed(visit, places, tokens);
      if (next === 'over' || isPosternError(next)) return next;
      tokens = next;
    }
    // oxlint-disable-next-line no-await-in-loop -- as above
    const identity = await plan.provider.identify(visit, places, tokens, session.identity, null);
    if (isPosternError(identity)) return identity;
    if (identity !== 'refused') {
      return identity.subject === session.identity.subject ? { identity, tokens } : 'over';
    }
    // It was revoked before its time; a refresh token may still hold.
    if (!fresh) return 'over';
    fresh = false;
  }
}

async function refreshed(visit: Visit, places: Places, tokens: Tokens): Promise<Tokens | 'over' | PosternError> {
  if (tokens.refresh === '') return 'over';
  const next = await refresh(visit, places, tokens.refresh);
  if (isPosternError(next)) return next.number === 3122 ? 'over' : next;
  return { ...next, refresh: next.refresh || tokens.refresh, identity: tokens.identity };
}
