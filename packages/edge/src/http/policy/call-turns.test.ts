import { expect, test } from 'vitest';
import { CallTurns, type Turn } from './call-turns.ts';

function entered(turns: CallTurns, count: number, endpointId: string, started: string[] = []): (Turn | null)[] {
  const owner = { endpointId, accountId: 'ac_1' };
  return Array.from({ length: count }, (_, at) => turns.enter(owner, () => started.push(`${endpointId} ${at}`)));
}

const come = (turns: readonly (Turn | null)[]): number => turns.filter((turn) => turn?.come === true).length;

test('so many of an endpoint at once, the others in line', () => {
  const turns = new CallTurns();
  const started: string[] = [];
  const all = entered(turns, 300, 'ep_1', started);
  expect([come(all), all.filter((turn) => turn === null).length]).toEqual([32, 12]);
  // One in line gives up; two that run are done.
  for (const at of [32, 0, 1]) {
    const turn = all[at];
    turn?.leave();
  }
  expect(started).toEqual(['ep_1 33', 'ep_1 34']);
  for (const turn of all.slice(2)) if (turn !== all[32]) turn?.leave();
  expect(come(entered(turns, 40, 'ep_1'))).toBe(32);
});

test('so many of an account, whatever its endpoints are', () => {
  const turns = new CallTurns();
  const all = Array.from({ length: 10 }, (_, at) => entered(turns, 32, `ep_${at}`)).flat();
  expect(come(all)).toBe(256);
  expect(all.filter((turn) => turn === null).length).toBe(64);
  const other = turns.enter({ endpointId: 'ep_x', accountId: 'ac_2' }, () => {});
  expect(other?.come).toBe(true);
  for (const turn of all) turn?.leave();
  expect(come(entered(turns, 32, 'ep_9'))).toBe(32);
});
