/** What several runs of the suite of clients say of cells that did not hold in each of them. */
import { expect, test } from 'vitest';
import type { Cell } from '../test/clients/harness/report.ts';
import { runsText } from '../test/clients/harness/runs.ts';

const cell = (duty: string, outcome: Cell['outcome']): Cell => ({ client: 'a client', duty, outcome, why: '' });

test('a cell that fails in some runs is flaky, one that fails in all is broken', () => {
  const text = runsText([
    { milliseconds: 1_000, cells: [cell('one', 'passed'), cell('two', 'passed'), cell('three', 'failed')] },
    { milliseconds: 2_000, cells: [cell('one', 'passed'), cell('two', 'failed'), cell('three', 'failed')] },
  ]);
  expect(text.split('\n')).toEqual([
    '| run | seconds | passed | failed | cells that failed |',
    '| --- | --- | --- | --- | --- |',
    '| 1 | 1 | 2 | 1 | a client: three |',
    '| 2 | 2 | 1 | 2 | a client: two, a client: three |',
    'broken: a client: three (failed in 2 of 2 runs)',
    'flaky: a client: two (failed in 1 of 2 runs)',
    '2 runs, 2 cells held, 1 flaky',
  ]);
});

test('what could not be asked, or was not there, is no failure', () => {
  const text = runsText([{ milliseconds: 1, cells: [cell('one', 'cannot'), cell('two', 'skipped')] }]);
  expect(text.split('\n').at(-1)).toBe('1 runs, 0 cells held, 0 flaky');
});
