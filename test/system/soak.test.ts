/** One minute of the fault run; `npm run soak -- --minutes 30` is the long one. */
import { expect, test } from 'vitest';
import { SEED } from '@postern/edge/testing/dice';
import { describeReport, runSoak } from '../soak/soak.ts';

test.runIf(process.platform === 'linux')(
  `everything fails for a minute, and no delivery is wrong (seed ${SEED})`,
  async () => {
    const report = await runSoak({
      seconds: 60,
      seed: SEED,
      say: (line) => void process.stdout.write(`soak: ${line}\n`),
    });
    process.stdout.write(`soak, seed ${SEED}\n${describeReport(report)}\n`);
    expect(report.violations).toEqual([]);
    for (const protocol of ['http/1.1', 'https', 'h2', 'tcp'] as const) {
      expect(report.protocols.get(protocol), protocol).toBeGreaterThan(0);
    }
  },
  600_000,
);
