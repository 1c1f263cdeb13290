/** Choosing among the endpoints that share one address. */
import type { LiveEndpoint, Route } from '../context.ts';
import type { AgentStreams } from '../streams/agent-streams.ts';
import type { AgentUpstream } from '@postern/link';

/**
 * A random member of a pool, of those that can serve now when there are any: cloud endpoints always can, the others
 * while the session of one of their upstreams is online.
 */
export function pickMember(route: Route, agents: AgentStreams, random: () => number): LiveEndpoint {
  const [first] = route.members;
  if (first === undefined) throw new Error('a route has at least one member');
  if (route.members.length === 1) return first;
  const able = route.members.filter((member) => canServe(member, agents));
  const among = able.length > 0 ? able : route.members;
  return nearest(among[Math.floor(random() * among.length)] ?? first, among);
}

/** Of the sessions of one agent, which serve alike, the one whose wire is here: nothing has to cross then. */
function nearest(picked: LiveEndpoint, among: readonly LiveEndpoint[]): LiveEndpoint {
  const [away] = picked.endpoint.upstreams;
  if (away?.edge === undefined) return picked;
  for (const member of among) {
    const [one] = member.endpoint.upstreams;
    if (one !== undefined && one.edge === undefined && one.tunnelId === away.tunnelId) return member;
  }
  return picked;
}

/** A random upstream of the endpoint whose session is online; null = none is. */
export function pickUpstream(live: LiveEndpoint, agents: AgentStreams, random: () => number): AgentUpstream | null {
  const { upstreams } = live.endpoint;
  const [first] = upstreams;
  if (upstreams.length === 1 && first !== undefined) return agents.isOnline(first) ? first : null;
  const online = upstreams.filter((upstream) => agents.isOnline(upstream));
  return online[Math.floor(random() * online.length)] ?? null;
}

function canServe(member: LiveEndpoint, agents: AgentStreams): boolean {
  if (member.endpoint.kind === 'cloud') return true;
  if (member.endpoint.upstreams.some((upstream) => agents.isOnline(upstream))) return true;
  return member.endpoint.routes.some((route) => route.upstreams.some((upstream) => agents.isOnline(upstream)));
}
