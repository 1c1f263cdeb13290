/**
 * What actions that keep sessions have in common, whatever way visitors log in: who has one that holds, what it is kept as,
 * and how it ends.
 */
import { GO_ON, type Step } from '../actions/action.ts';
import type { Outcome } from '../runtime.ts';
import { noSessionLines, sessionLines, sessionTexts } from './cookies.ts';
import type { SessionVisit } from './plan.ts';
import { NO_FACTS, record, type Facts } from './result.ts';
import { readSession, writeSession, type Session } from './session.ts';
import { sendTo } from './start.ts';
import { personOf, tellEnded, tellSeen } from './tell-control.ts';
import { tellService } from './tell-service.ts';
import { type Asked, LOGIN_PATH, ownPage } from './urls.ts';

/** The last request of a session is remembered this exactly, or as a tenth of the time that it may be idle. */
const SEEN_MS = 60_000;

export interface Found {
  /** null = there is none that holds. */
  readonly session: Session | null;
  /** It was sealed by a key that is void before long. */
  readonly old: boolean;
  /** Why not, where there was one. */
  readonly why: Pick<Facts, 'timedOut' | 'reachedMaximum'>;
}

const NO_REASON = { timedOut: false, reachedMaximum: false };

export function findSession({ plan, context, req, realm, cookiePlace }: SessionVisit): Found {
  const { sessions } = context.services;
  let why: Found['why'] = NO_REASON;
  for (const text of sessionTexts(req.loginCookies, cookiePlace)) {
    const opened = sessions.open(text, `session ${realm}`);
    const session = opened === null ? null : readSession(opened.text);
    if (opened === null || session === null) continue;
    if (sessions.isOver(session.id, personOf({ plan, context }, session), session.begunAt)) continue;
    const now = context.now();
    const reachedMaximum = now - session.begunAt >= plan.maxMs || now >= (session.until ?? Infinity);
    const timedOut = now - session.seenAt >= plan.idleMs;
    if (!reachedMaximum && !timedOut) return { session, old: opened.old, why };
    why = { timedOut, reachedMaximum };
  }
  return { session: null, old: false, why };
}

/**
 * The visitor is known: rules and the service are told who it is.
 * @param how `anew` = the browser has to keep it again
 */
export function goOn(
  visit: SessionVisit,
  session: Session,
  { refreshed, anew }: { readonly refreshed: boolean; readonly anew: boolean },
): Step {
  const { plan, context, req } = visit;
  const now = context.now();
  const unseen = plan.idleMs !== Infinity && now - session.seenAt >= Math.min(SEEN_MS, plan.idleMs / 10);
  if (context.services.sessions.isUnseen(session.id)) tellSeen(visit, session);
  if (anew || unseen) {
    for (const line of linesOf(visit, { ...session, seenAt: now })) req.answerHeader('set-cookie', line);
  }
  tellService(visit, session);
  record(plan, context, { ...NO_FACTS, session, refreshed });
  return GO_ON;
}

export function linesOf({ plan, context, realm, cookiePlace, req }: SessionVisit, session: Session): readonly string[] {
  const { text, complete } = writeSession(session);
  if (!complete) context.warn(`${plan.path}: tokens of the identity provider are too long to be kept`);
  const sealed = context.services.sessions.seal(text, `session ${realm}`);
  const until = Math.min(session.begunAt + plan.maxMs, session.until ?? Infinity);
  const leftMs = Math.min(until - context.now(), plan.idleMs);
  return sessionLines(sealed, cookiePlace, leftMs, req.loginCookies);
}

/** Fetch standard, "CORS-preflight request". */
export function isPreflight({ req }: SessionVisit): boolean {
  return req.method === 'OPTIONS' && req.headers.has('origin') && req.headers.has('access-control-request-method');
}

/** Where the log-in began, or where its link was to lead. */
export function destination({ origin }: SessionVisit, { path, query, target }: Asked): string {
  const page = path === LOGIN_PATH ? (new URLSearchParams(query).get('redirect_path') ?? '/') : target;
  return ownPage(origin, page) ?? `${origin}/`;
}

const LOGGED_OUT = Buffer.from('You are logged out.\n');

export function logout(visit: SessionVisit, location: string | null): Outcome | Promise<Outcome> {
  const { session } = findSession(visit);
  const over = session === null ? undefined : endSession(visit, session);
  const answer = loggedOut(visit, location);
  return over === undefined ? answer : over.then(() => answer);
}

function loggedOut({ cookiePlace, req }: SessionVisit, location: string | null): Outcome {
  const cookies = noSessionLines(cookiePlace, req.loginCookies);
  if (location !== null) return sendTo(location, cookies);
  const headers: (readonly [string, string])[] = [
    ['content-type', 'text/plain; charset=utf-8'],
    ['cache-control', 'no-store'],
  ];
  for (const line of cookies) headers.push(['set-cookie', line]);
  return { kind: 'respond', status: 200, headers, body: LOGGED_OUT };
}

/** Whoever has a copy of its cookie cannot use it any more either. @returns as `Sessions.end` */
export function endSession(visit: SessionVisit, session: Session): void | Promise<void> {
  const { plan, context } = visit;
  tellEnded(visit, session);
  return context.services.sessions.end(session.id, session.begunAt + plan.maxMs);
}
