/** A few seconds of the fuzz run, with a seed that is always the same and one that never is; `npm run fuzz` is the long one. */
import { expect, test } from 'vitest';
import { describeResult, runFuzz } from '../fuzz/fuzz.ts';
import { TARGETS } from '../fuzz/targets.ts';

const FIXED = 20_261_124;
const FRESH = Number(process.env['POSTERN_SEED'] ?? Date.now() % 1_000_000);

test.each([
  ['fixed', FIXED],
  ['fresh', FRESH],
])('mutated input finds nothing (%s seed %i)', async (_name, seed) => {
  const results = await runFuzz({ cases: 30_000, seconds: 2.5, seed });
  const report = results.map((result) => describeResult(result)).join('\n');
  process.stdout.write(`fuzz, seed ${seed}\n${report}\n`);
  expect(results).toHaveLength(TARGETS.length);
  for (const { target, cases, findings } of results) {
    expect(findings, report).toEqual([]);
    // Of the least work, not of the speed.
    expect(cases, target).toBeGreaterThanOrEqual(100);
  }
});
