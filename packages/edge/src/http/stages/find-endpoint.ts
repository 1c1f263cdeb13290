/** From the host of a request to the endpoint that answers it, or to the error that says why none does. */
import { fail, type PosternError } from '@postern/errors';
import type { EdgeContext, LiveEndpoint, Route, VisitorFacts } from '../../context.ts';
import { pickMember } from '../../routing/pick-member.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { notHere } from './other-scheme.ts';

/** Sets `entry`, `current` and `route` of the exchange. @returns null when it did */
export function findEndpoint(edge: EdgeContext, exchange: Exchange): PosternError | null {
  const { requester } = exchange;
  const { authority, scheme } = exchange.request;
  const { connection } = requester;
  if (authority === '') return fail(90002, { reason: 'it names no host' });
  const route = requester.findRoute(authority, scheme);
  if (requester.misdirected) return fail(90005);
  if (route === null) return notHere(edge, exchange);
  const live = memberFor(edge, route, connection);
  if (!ruledHere(live, connection)) return fail(90005);
  exchange.route = route;
  exchange.entry = live;
  return null;
}

/**
 * A random member of a pool for each request; but members with connection rules serve the connections that these let
 * in, so a connection stays with the member whose rules it passed.
 */
function memberFor(edge: EdgeContext, route: Route, connection: VisitorFacts): LiveEndpoint {
  const { ruledBy } = connection;
  if (ruledBy !== null && route.members.length > 1 && route.members.some((member) => hasConnectionRules(member))) {
    const same = route.members.find((member) => member.endpoint.id === ruledBy.endpoint.id);
    if (same !== undefined) return same;
  }
  return pickMember(route, edge.agents, edge.random);
}

export function hasConnectionRules(live: LiveEndpoint): boolean {
  return live.policy !== null && live.policy.onTcpConnect !== null;
}

/**
 * Over TLS the rules of one endpoint ran before the handshake ended. Another endpoint's, or a newer revision of the
 * same, would be passed by if its requests were taken on this connection.
 */
function ruledHere(live: LiveEndpoint, connection: VisitorFacts): boolean {
  if (connection.scheme !== 'https' || !hasConnectionRules(live)) return true;
  const { ruledBy } = connection;
  return ruledBy !== null && ruledBy.endpoint.id === live.endpoint.id && ruledBy.policy === live.policy;
}
