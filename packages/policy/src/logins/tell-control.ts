/** What the account's list of visitors and sessions is made of. Of one log-in a few words; of requests nearly none. */
import { userAgentFacts } from '../cel/variables/user-agent.ts';
import { personId } from './ids.ts';
import type { SessionVisit } from './plan.ts';
import type { Session } from './session.ts';

const MOST_AGENT = 512;

export function tellBegun({ plan, context, req }: SessionVisit, session: Session): void {
  const { endpoint, conn, services } = context;
  const { subject, email, name } = session.identity;
  const raw = (req.headers.get('user-agent') ?? '').slice(0, MOST_AGENT).toWellFormed();
  const agent = userAgentFacts(raw);
  services.sessions.tell({
    kind: 'began',
    accountId: endpoint.accountId,
    sessionId: session.id,
    at: session.begunAt,
    until: endOf({ plan }, session),
    user: { id: personOf({ plan, context }, session), provider: plan.provider.name, subject, email, name },
    browser: {
      userAgent: {
        raw,
        browserName: agent.name,
        browserVersion: agent.version,
        deviceType: agent.device,
        osName: agent.os,
        osVersion: agent.osVersion,
      },
      ipAddress: conn.clientIp,
    },
    endpointId: endpoint.id,
    url: endpoint.url,
  });
}

export function tellSeen({ plan, context }: SessionVisit, session: Session): void {
  const { accountId } = context.endpoint;
  const userId = personOf({ plan, context }, session);
  context.services.sessions.tell({ kind: 'seen', accountId, sessionId: session.id, userId, at: context.now() });
}

export function tellEnded({ plan, context }: SessionVisit, session: Session): void {
  const { accountId } = context.endpoint;
  const until = endOf({ plan }, session);
  context.services.sessions.tell({ kind: 'ended', accountId, sessionId: session.id, until });
}

export function personOf(
  { plan, context }: Pick<SessionVisit, 'plan' | 'context'>,
  { person, identity }: Session,
): string {
  return person ?? personId(context.endpoint.accountId, plan.provider.name, identity.subject);
}

function endOf({ plan }: Pick<SessionVisit, 'plan'>, { begunAt, until = Infinity }: Session): number {
  const end = Math.min(begunAt + plan.maxMs, until);
  return end === Infinity ? 0 : end;
}
