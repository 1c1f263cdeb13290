/**
 * What an action that logs visitors in does with a request, in this order:
 *
 *  1. a preflight that is let through, where the policy says so: browsers send no cookies with it
 *  2. the action's own paths: log out, log in again
 *  3. who comes back from the provider: his session begins, and he is sent to the page that he had asked for
 *  4. who has a session that holds: on to the next action
 *  5. everybody else: to the provider
 */
import { fail, isPosternError } from '@postern/errors';
import { GO_ON, type Step } from '../actions/action.ts';
import { failed, unfilled } from '../actions/outcome.ts';
import type { Scope } from '../cel/scope.ts';
import { Failure } from '../cel/value.ts';
import type { Outcome } from '../runtime.ts';
import { noSessionLines, nonceLine, sessionLines, sessionTexts } from './cookies.ts';
import { finish } from './finish.ts';
import type { LoginPlan, Visit } from './plan.ts';
import { isDue, renew } from './renew.ts';
import { NO_FACTS, record, type Facts } from './result.ts';
import { type Hop, openHop, shortRealm } from './sealed.ts';
import { readSession, writeSession, type Session } from './session.ts';
import { start, sendTo } from './start.ts';
import { tellService } from './tell-service.ts';
import { type Asked, LOGIN_PATH, LOGOUT_PATH, ownPage, readTarget, remembered } from './urls.ts';
import { visitOf } from './visit.ts';

/** The last request of a session is remembered this exactly, or as a tenth of the time that it may be idle. */
const SEEN_MS = 60_000;

export function login(plan: LoginPlan, scope: Scope): Step | Promise<Step> {
  const visit = visitOf(plan, scope);
  if (visit instanceof Failure) return unfilled(visit);
  if (isPosternError(visit)) return ended(plan, scope, failed(visit), { ...NO_FACTS, error: visit });
  const { req } = visit;
  if (plan.allowsPreflight && isPreflight(visit)) return GO_ON;
  const asked = readTarget(req.sent.target);
  const own = ownPath(visit, asked);
  if (own !== null) return own;
  const hop = asked.hop === '' ? null : openHop(visit.context.services.sessions, asked.hop);
  const found = findSession(visit);
  // Who was made to log in again has a session, and gets another one.
  const again = asked.hop !== '' && asked.path === LOGIN_PATH;
  if (found.session !== null && !again) {
    // Back and forward lead over the same address again.
    if (asked.hop !== '' && (hop === null || hop.realm === shortRealm(visit.realm))) {
      return sendTo(visit.origin + remembered(asked), []);
    }
    if (isDue(visit, found.session)) return renewed(visit, found.session, asked);
    return goOn(visit, found.session, { refreshed: false, anew: found.old });
  }
  if (hop !== null && hop.realm === shortRealm(visit.realm)) return arrived(visit, hop);
  if (hop === null && asked.hop !== '') {
    const error = fail(3108);
    return ended(plan, scope, failed(error), { ...NO_FACTS, error });
  }
  return ended(plan, scope, start(visit, remembered(asked), false), { ...NO_FACTS, ...found.why });
}

/** Fetch standard, "CORS-preflight request". */
function isPreflight({ req }: Visit): boolean {
  return req.method === 'OPTIONS' && req.headers.has('origin') && req.headers.has('access-control-request-method');
}

function ended(plan: LoginPlan, { context }: Scope, step: Step | Promise<Step>, facts: Facts): Step | Promise<Step> {
  record(plan, context, facts);
  return step;
}

// The action's own paths.

function ownPath(visit: Visit, asked: Asked): Step | Promise<Step> | null {
  const { path } = asked;
  if (path !== LOGIN_PATH && path !== LOGOUT_PATH) return null;
  const query = new URLSearchParams(asked.query);
  // Of several actions each has its own; without a name the first one is meant.
  if ((query.get('auth_id') ?? visit.plan.authId) !== visit.plan.authId) return null;
  // Who comes back from there was sent to this path as well, so that the same rule meets him.
  if (path === LOGIN_PATH && asked.hop !== '') return null;
  if (path === LOGIN_PATH) return start(visit, asked.target, true);
  return logout(visit, ownPage(visit.origin, query.get('redirect_path') ?? ''));
}

const LOGGED_OUT = Buffer.from('You are logged out.\n');

function logout(visit: Visit, location: string | null): Outcome {
  const { cookiePlace, req } = visit;
  const { session } = findSession(visit);
  if (session !== null) endSession(visit, session);
  const cookies = noSessionLines(cookiePlace, req.loginCookies);
  if (location !== null) return sendTo(location, cookies);
  const headers: (readonly [string, string])[] = [
    ['content-type', 'text/plain; charset=utf-8'],
    ['cache-control', 'no-store'],
  ];
  for (const line of cookies) headers.push(['set-cookie', line]);
  return { kind: 'respond', status: 200, headers, body: LOGGED_OUT };
}

/** Whoever has a copy of its cookie cannot use it any more either. */
function endSession({ plan, context }: Visit, session: Session): void {
  context.services.sessions.end(session.id, session.begunAt + plan.maxMs);
}

// Back from the provider.

async function arrived(visit: Visit, hop: Hop): Promise<Step> {
  const { plan, context, cookiePlace } = visit;
  const session = await finish(visit, hop);
  if (isPosternError(session)) {
    record(plan, context, { ...NO_FACTS, error: session });
    return failed(session);
  }
  record(plan, context, { ...NO_FACTS, session });
  const lines = [...linesOf(visit, session), nonceLine('', cookiePlace, 0)];
  return sendTo(destination(visit, readTarget(hop.target)), lines);
}

/** Where the log-in began, or where its link was to lead. */
function destination({ origin }: Visit, { path, query, target }: Asked): string {
  const page = path === LOGIN_PATH ? (new URLSearchParams(query).get('redirect_path') ?? '/') : target;
  return ownPage(origin, page) ?? `${origin}/`;
}

// Sessions.

interface Found {
  /** null = there is none that holds. */
  readonly session: Session | null;
  /** It was sealed by a key that is void before long. */
  readonly old: boolean;
  /** Why not, where there was one. */
  readonly why: Pick<Facts, 'timedOut' | 'reachedMaximum'>;
}

const NO_REASON = { timedOut: false, reachedMaximum: false };

function findSession({ plan, context, req, realm, cookiePlace }: Visit): Found {
  const { sessions } = context.services;
  let why: Found['why'] = NO_REASON;
  for (const text of sessionTexts(req.loginCookies, cookiePlace)) {
    const opened = sessions.open(text, `session ${realm}`);
    const session = opened === null ? null : readSession(opened.text);
    if (opened === null || session === null || sessions.isOver(session.id)) continue;
    const now = context.now();
    const reachedMaximum = now - session.begunAt >= plan.maxMs;
    const timedOut = now - session.seenAt >= plan.idleMs;
    if (!reachedMaximum && !timedOut) return { session, old: opened.old, why };
    why = { timedOut, reachedMaximum };
  }
  return { session: null, old: false, why };
}

async function renewed(visit: Visit, session: Session, asked: Asked): Promise<Step> {
  const { plan, context } = visit;
  const result = await renew(visit, session);
  switch (result.kind) {
    case 'renewed':
    case 'kept':
      return goOn(visit, result.session, { refreshed: result.kind === 'renewed', anew: true });
    case 'failed':
      record(plan, context, { ...NO_FACTS, error: result.error });
      return failed(result.error);
    case 'over':
      break;
  }
  endSession(visit, session);
  for (const line of noSessionLines(visit.cookiePlace, visit.req.loginCookies)) {
    visit.req.answerHeader('set-cookie', line);
  }
  record(plan, context, NO_FACTS);
  return start(visit, remembered(asked), false);
}

/**
 * The visitor is known: rules and the service are told who it is.
 * @param how `anew` = the browser has to keep it again
 */
function goOn(
  visit: Visit,
  session: Session,
  { refreshed, anew }: { readonly refreshed: boolean; readonly anew: boolean },
): Step {
  const { plan, context, req } = visit;
  const now = context.now();
  const unseen = plan.idleMs !== Infinity && now - session.seenAt >= Math.min(SEEN_MS, plan.idleMs / 10);
  if (anew || unseen) {
    for (const line of linesOf(visit, { ...session, seenAt: now })) req.answerHeader('set-cookie', line);
  }
  tellService(visit, session);
  record(plan, context, { ...NO_FACTS, session, refreshed });
  return GO_ON;
}

function linesOf({ plan, context, realm, cookiePlace, req }: Visit, session: Session): readonly string[] {
  const { text, complete } = writeSession(session);
  if (!complete) context.warn(`${plan.path}: tokens of the identity provider are too long to be kept`);
  const sealed = context.services.sessions.seal(text, `session ${realm}`);
  const leftMs = Math.min(session.begunAt + plan.maxMs - context.now(), plan.idleMs);
  return sessionLines(sealed, cookiePlace, leftMs, req.loginCookies);
}
