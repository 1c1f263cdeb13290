/** A few seconds of the fuzz run, with a seed that is always the same (POSTERN_SEED); `npm run fuzz` is the long one. */
import { expect, test } from 'vitest';
import { SEED } from '@postern/edge/testing/dice';
import { describeResult, runFuzz } from '../fuzz/fuzz.ts';
import { TARGETS } from '../fuzz/targets.ts';

test(`mutated input finds nothing (seed ${SEED})`, async () => {
  const results = await runFuzz({ cases: 30_000, seconds: 5, seed: SEED });
  const report = results.map((result) => describeResult(result)).join('\n');
  process.stdout.write(`fuzz, seed ${SEED}\n${report}\n`);
  expect(results).toHaveLength(TARGETS.length);
  for (const { target, cases, findings } of results) {
    expect(findings, report).toEqual([]);
    // Of the least work, not of the speed.
    expect(cases, target).toBeGreaterThanOrEqual(100);
  }
});
