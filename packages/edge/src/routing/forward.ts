/** Where `forward-internal` leads, for requests and connections alike (traffic-policy.md §2.7). */
import { fail } from '@postern/errors';
import type { RouteEndpoint, Scheme } from '@postern/link';
import type { EdgeContext, LiveEndpoint, Route } from '../context.ts';
import { pickMember } from './pick-member.ts';

/** A loop of forwards ends here. */
const MAX_HOPS = 8;

/** @returns the number of this forward, from 1 on @throws PosternError 3501 */
export function nextHop(hops: number): number {
  if (hops >= MAX_HOPS) throw fail(3501, { max: MAX_HOPS });
  return hops + 1;
}

/**
 * The internal endpoint of the same account at a URL, a member of its pool.
 * @throws PosternError 90019 or 3200 when there is none, 2226 for what is no URL or carries something else
 */
export function findForward(
  edge: Pick<EdgeContext, 'routes' | 'returning' | 'agents' | 'random'>,
  { accountId, proto }: RouteEndpoint,
  url: string,
): { readonly route: Route; readonly target: LiveEndpoint } {
  const route = edge.routes.findInternal(accountId, url);
  if (route === null) throw fail(edge.returning.expectsInternal(accountId, url) ? 90019 : 3200, { url });
  const target = pickMember(route, edge.agents, edge.random);
  if (carriesHttp(target.endpoint.proto) !== carriesHttp(proto)) {
    throw fail(2226, { path: 'url', value: url, reason: `a ${proto} endpoint cannot forward to it` });
  }
  return { route, target };
}

export function carriesHttp(proto: Scheme): boolean {
  return proto === 'http' || proto === 'https';
}
