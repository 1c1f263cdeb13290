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
import { noSessionLines, nonceLine } from './cookies.ts';
import { finish } from './finish.ts';
import { destination, endSession, findSession, goOn, isPreflight, linesOf, logout } from './held.ts';
import type { LoginPlan, Visit } from './plan.ts';
import { isDue, renew } from './renew.ts';
import { NO_FACTS, record, type Facts } from './result.ts';
import { type Hop, openHop, shortRealm } from './sealed.ts';
import type { Session } from './session.ts';
import { start, sendTo } from './start.ts';
import { tellBegun } from './tell-control.ts';
import { type Asked, LOGIN_PATH, LOGOUT_PATH, ownPage, readTarget, remembered } from './urls.ts';
import { visitOf } from './visit.ts';

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

// Back from the provider.

async function arrived(visit: Visit, hop: Hop): Promise<Step> {
  const { plan, context, cookiePlace } = visit;
  const session = await finish(visit, hop);
  if (isPosternError(session)) {
    record(plan, context, { ...NO_FACTS, error: session });
    return failed(session);
  }
  tellBegun(visit, session);
  record(plan, context, { ...NO_FACTS, session });
  const lines = [...linesOf(visit, session), nonceLine('', cookiePlace, 0)];
  return sendTo(destination(visit, readTarget(hop.target)), lines);
}

async function renewed(visit: Visit, session: Session, asked: Asked): Promise<Step> {
  const { plan, context } = visit;
  const result = await renew(visit, session);
  switch (result.kind) {
    case 'renewed':
    case 'kept':
      return goOn(visit, result.session, { refreshed: result.kind === 'renewed', anew: true });
    case 'failed': {
      const error = fail(result.number, result.params);
      record(plan, context, { ...NO_FACTS, error });
      return failed(error);
    }
    case 'over':
      break;
  }
  await endSession(visit, session);
  for (const line of noSessionLines(visit.cookiePlace, visit.req.loginCookies)) {
    visit.req.answerHeader('set-cookie', line);
  }
  record(plan, context, NO_FACTS);
  return start(visit, remembered(asked), false);
}
