import { expect, test } from 'vitest';
import type { LiveEndpoint } from '../context.ts';
import type { AgentStreams } from '../streams/agent-streams.ts';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { pickMember } from './pick-member.ts';

function member(id: string, sessionId: string, tunnelId: string, edge?: string): LiveEndpoint {
  const at = upstream(sessionId, tunnelId, edge === undefined ? {} : { edge });
  return { endpoint: endpoint(id, 'http', 'web.example.test', { pooling: true, upstreams: [at] }), policy: null };
}

/** What is picked by chance that is spread evenly. */
function picks(members: readonly LiveEndpoint[], online: (sessionId: string) => boolean = () => true): string[] {
  // Nothing else of it is asked for.
  // oxlint-disable-next-line no-unsafe-type-assertion
  const agents = { isOnline: ({ sessionId }) => online(sessionId) } as Pick<AgentStreams, 'isOnline'> as AgentStreams;
  return Array.from({ length: 8 }, (_, n) => pickMember({ members }, agents, () => n / 8).endpoint.id);
}

test('of several sessions of one agent, the one that is here', () => {
  const legs = [member('a', 's1', 't', 'w2'), member('b', 's2', 't'), member('c', 's3', 't', 'w3')];
  expect(new Set(picks(legs))).toEqual(new Set(['b']));
  expect(new Set(picks(legs, (session) => session !== 's2'))).toEqual(new Set(['a', 'c']));
});

test('agents of a pool have the same share, wherever they are', () => {
  const pool = [member('a', 's1', 't1', 'w2'), member('b', 's2', 't2')];
  expect(picks(pool).filter((id) => id === 'a')).toHaveLength(4);
  // An agent with two sessions has two chances, and both lead to the near one.
  const withLegs = [...pool, member('c', 's3', 't1'), member('d', 's4', 't2', 'w3')];
  expect(picks(withLegs).toSorted()).toEqual(['b', 'b', 'b', 'b', 'c', 'c', 'c', 'c']);
});
