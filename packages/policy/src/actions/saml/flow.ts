/**
 * What `saml` does with a request, in the order of the other actions that log visitors in (logins/flow.ts):
 *
 *  1. a preflight that is let through
 *  2. its own paths: what it says of itself, what providers post, log out, log in again
 *  3. who has a session that holds
 *  4. everybody else: to the provider
 */
import { fail, isPosternError, type PosternError } from '@postern/errors';
import { destination, findSession, goOn, isPreflight, linesOf, logout } from '../../logins/held.ts';
import { personId, sessionId } from '../../logins/ids.ts';
import type { SessionPlan, SessionVisit } from '../../logins/plan.ts';
import { NO_FACTS, record } from '../../logins/result.ts';
import { LOGIN_MS } from '../../logins/sealed.ts';
import type { Session } from '../../logins/session.ts';
import { seeOther } from '../../logins/start.ts';
import { tellBegun } from '../../logins/tell-control.ts';
import { LOGIN_PATH, LOGOUT_PATH, ownPage, readTarget, remembered, withHop } from '../../logins/urls.ts';
import { placeOf } from '../../logins/visit.ts';
import type { Scope } from '../../cel/scope.ts';
import { GO_ON, type Step } from '../action.ts';
import { unreadBody } from '../body.ts';
import { failed } from '../outcome.ts';
import { begun, begunLine } from './asked.ts';
import type { IdentityProvider } from './metadata.ts';
import { askProvider, authnRequest, serviceMetadata, type Service } from './request.ts';
import { MOST_RESPONSE, readResponse, type Assertion } from './response.ts';

export interface SamlPlan extends SessionPlan {
  readonly type: 'saml';
  readonly idp: IdentityProvider;
  readonly forceAuthn: boolean;
  readonly allowsUnasked: boolean;
  /** Empty = everybody. */
  readonly groups: ReadonlySet<string>;
  readonly nameIdFormat: string;
}

interface SamlVisit extends SessionVisit {
  readonly plan: SamlPlan;
  readonly service: Service;
}

export const METADATA_PATH = '/ngrok/saml/metadata';
export const CONSUMER_PATH = '/ngrok/saml/acs';
/** What a form may have: a response in base64, percent-encoded. */
const MOST_FORM = MOST_RESPONSE * 2;

export function saml(plan: SamlPlan, { context }: Scope): Step | Promise<Step> {
  const { req, endpoint } = context;
  if (req === null) return failed(fail(2300, { type: plan.type }));
  const place = placeOf(plan, context, req);
  if (isPosternError(place)) return refused(plan, context, place);
  const { where, origin, cookiePlace } = place;
  const query = plan.authId === '' ? '' : `?auth_id=${encodeURIComponent(plan.authId)}`;
  const service = { entityId: `${origin}${METADATA_PATH}${query}`, consumerUrl: `${origin}${CONSUMER_PATH}${query}` };
  const realm = JSON.stringify([endpoint.accountId, where, plan.authId, plan.type, plan.idp.entityId]);
  const visit: SamlVisit = { plan, context, req, realm, origin, cookiePlace, service, tellsTokens: false };
  if (plan.allowsPreflight && isPreflight(visit)) return GO_ON;
  const own = ownPath(visit);
  if (own !== null) return own;
  const { session, old, why } = findSession(visit);
  if (session !== null) return goOn(visit, session, { refreshed: false, anew: old });
  record(plan, context, { ...NO_FACTS, ...why });
  return start(visit, remembered(readTarget(req.sent.target)), plan.forceAuthn);
}

function refused(plan: SamlPlan, context: SamlVisit['context'], error: PosternError): Step {
  record(plan, context, { ...NO_FACTS, error });
  return failed(error);
}

function ownPath(visit: SamlVisit): Step | Promise<Step> | null {
  const { plan, req, service, origin } = visit;
  const asked = readTarget(req.sent.target);
  const query = new URLSearchParams(asked.query);
  if ((query.get('auth_id') ?? plan.authId) !== plan.authId) return null;
  switch (asked.path) {
    case METADATA_PATH:
      return serviceMetadata(service, plan.nameIdFormat);
    case CONSUMER_PATH:
      return asked.hop === '' ? posted(visit) : arrived(visit, asked.hop);
    case LOGOUT_PATH:
      return logout(visit, ownPage(origin, query.get('redirect_path') ?? ''));
    case LOGIN_PATH:
      return start(visit, asked.target, true);
    default:
      return null;
  }
}

function start(visit: SamlVisit, target: string, again: boolean): Step {
  const { plan, context, service } = visit;
  const id = context.services.sessions.random().slice(0, 22);
  const at = context.now();
  const request = authnRequest(service, plan.idp, { id: `_${id}`, at, again, nameIdFormat: plan.nameIdFormat });
  return askProvider(request, plan.idp, [begunLine(visit, [{ id, target, at }, ...begun(visit)])]);
}

/** What the provider has the visitor's browser post (SAML Bindings §3.5.4). */
async function posted(visit: SamlVisit): Promise<Step> {
  const { plan, context, service } = visit;
  const form = await readForm(visit);
  if (isPosternError(form)) return refused(plan, context, form);
  const text = Buffer.from(form.get('SAMLResponse') ?? '', 'base64').toString('utf8');
  const answer = readResponse(text, plan.idp, service, context.now());
  if (answer.kind === 'denied') {
    return refused(plan, context, fail(3125, { reason: 'you, or a rule of it, have denied it' }));
  }
  if (answer.kind === 'unusable') {
    context.warn(`${plan.path}: what was posted to ${CONSUMER_PATH} ${answer.problem}`);
    return refused(plan, context, fail(90085, { reason: answer.problem }));
  }
  const { assertion } = answer;
  const denied = deniedBy(plan, assertion);
  if (denied !== null) return refused(plan, context, denied);
  const once = `assertion ${visit.realm} ${assertion.id}`;
  const first = await context.services.sessions.spend(once, assertion.usableUntil);
  if (!first) return refused(plan, context, fail(3122));
  if (assertion.inResponseTo !== '') {
    const hop = context.services.sessions.seal(
      JSON.stringify({ ...assertion, at: context.now() }),
      `saml ${visit.realm}`,
    );
    return seeOther(withHop(service.consumerUrl, hop), []);
  }
  const relay = form.get('RelayState') ?? '';
  return begin(visit, assertion, relay.startsWith('/') ? relay : '/', []);
}

async function readForm({ req }: SamlVisit): Promise<URLSearchParams | PosternError> {
  const type = req.headers.get('content-type') ?? '';
  if (req.method !== 'POST' || !type.toLowerCase().startsWith('application/x-www-form-urlencoded')) {
    return fail(90085, { reason: 'is no form that was posted' });
  }
  const body = await req.readBody(MOST_FORM);
  if (typeof body === 'string') return unreadBody(body, MOST_FORM);
  return new URLSearchParams(body.toString('latin1'));
}

function deniedBy({ groups, allowsUnasked }: SamlPlan, assertion: Assertion): PosternError | null {
  if (assertion.inResponseTo === '' && !allowsUnasked) {
    return fail(90085, { reason: 'answers no log-in that was begun here' });
  }
  if (groups.size === 0 || assertion.groups.some((group) => groups.has(group))) return null;
  return fail(3125, { reason: 'you are in none of the groups that may come in' });
}

/** The redirect behind the post, with the browser's cookies: here it has to be the one that asked. */
function arrived(visit: SamlVisit, sealed: string): Step {
  const { plan, context } = visit;
  const opened = context.services.sessions.open(sealed, `saml ${visit.realm}`);
  if (opened === null) return refused(plan, context, fail(3108));
  // oxlint-disable-next-line no-unsafe-type-assertion -- nobody but a server of this installation has written it
  const assertion = JSON.parse(opened.text) as Assertion & { readonly at: number };
  if (context.now() - assertion.at >= LOGIN_MS)
    return refused(plan, context, fail(3119, { minutes: LOGIN_MS / 60_000 }));
  const all = begun(visit);
  const own = all.find(({ id }) => `_${id}` === assertion.inResponseTo);
  if (own === undefined) return refused(plan, context, fail(3121));
  const others = all.filter((one) => one !== own);
  return begin(visit, assertion, own.target, [begunLine(visit, others)]);
}

function begin(visit: SamlVisit, assertion: Assertion, target: string, lines: readonly string[]): Step {
  const { plan, context } = visit;
  const now = context.now();
  const { identity, groups, sessionUntil } = assertion;
  const session: Session = {
    id: sessionId(context.services.sessions, now),
    identity,
    person: personId(context.endpoint.accountId, plan.provider.name, identity.subject),
    tokens: { access: '', refresh: '', identity: '', expiresAt: 0 },
    groups,
    // JSON has no Infinity.
    ...(Number.isFinite(sessionUntil) ? { until: sessionUntil } : {}),
    config: '',
    begunAt: now,
    seenAt: now,
    knownAt: now,
    askedAt: now,
  };
  tellBegun(visit, session);
  record(plan, context, { ...NO_FACTS, session });
  const page = destination(visit, readTarget(target));
  return seeOther(page, [...linesOf(visit, session), ...lines]);
}
