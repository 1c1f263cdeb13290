import { describe, expect, test } from 'vitest';
import { agentConflictError, apiConflictError, conflictWith, type Holder } from './conflicts.ts';

const cloud = (id: string, pooling: boolean, accountId = 'me'): Holder => ({ kind: 'cloud', id, accountId, pooling });
const edge: Holder = { kind: 'edge', id: 'edghts_1', accountId: 'me', pooling: false };

describe('who comes to an address', () => {
  test.each([
    [[], false, null],
    [[cloud('ep_1', true), cloud('ep_2', true)], true, null],
    [[cloud('ep_1', true)], false, 'pooling-off-here'],
    [[cloud('ep_1', false)], true, 'pooling-off-there'],
    [[cloud('ep_1', false)], false, 'pooling-off-here'],
    [[edge], true, 'exists'],
    [[cloud('ep_1', true, 'you')], true, 'exists'],
    // The first in the way decides.
    [[cloud('ep_1', true), edge, cloud('ep_2', false)], true, 'exists'],
  ] as const)('%j, pooling %s: %s', (holders, pooling, kind) => {
    expect(conflictWith(holders, 'me', pooling)?.kind ?? null).toBe(kind);
  });

  test('is told what would help, and nothing of other accounts', () => {
    const off = { kind: 'pooling-off-there' as const, holder: cloud('ep_1', false) };
    expect(apiConflictError('https://a.test', 'me', off)).toMatchObject({ number: 18_016 });
    expect(agentConflictError('https://a.test', 'me', off)).toMatchObject({ number: 6030 });
    const theirs = { kind: 'exists' as const, holder: cloud('ep_secret', true, 'you') };
    expect(apiConflictError('https://a.test', 'me', theirs)).toMatchObject({ number: 18_009 });
    expect(agentConflictError('https://a.test', 'me', theirs).message).not.toContain('ep_secret');
  });
});
