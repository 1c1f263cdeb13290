/** Where `forward-internal` leads, for requests and connections alike (traffic-policy.md §2.7). */
import { fail } from '@postern/errors';
import type { Scheme } from '@postern/link';
import type { InternalAddress } from '@postern/policy';
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
 * The internal endpoint of the same account at an address, a member of its pool.
 * @throws PosternError 90019 or 3200 when there is none
 */
export function findForward(
  edge: Pick<EdgeContext, 'routes' | 'returning' | 'agents' | 'random'>,
  accountId: string,
  to: InternalAddress,
): { readonly route: Route; readonly target: LiveEndpoint } {
  const route = edge.routes.findInternal(accountId, to);
  if (route === null) throw fail(edge.returning.expectsInternal(accountId, to) ? 90019 : 3200, { url: to.url });
  return { route, target: pickMember(route, edge.agents, edge.random) };
}

export function carriesHttp(proto: Scheme): boolean {
  return proto === 'http' || proto === 'https';
}
