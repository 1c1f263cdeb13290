/** `npm run soak -- --minutes 30 --seed 7`: the fault run for as long as wanted. Exit code 1 when anything is wrong. */
import { parseArgs } from 'node:util';
import { describeReport, runSoak } from './soak.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    help: { type: 'boolean', default: false },
  },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);

if (values.help || !(minutes > 0) || !Number.isInteger(seed)) {
  process.stdout.write('npm run soak -- [--minutes 30] [--seed 7]\n');
  process.exit(values.help ? 0 : 2);
}
process.stdout.write(`soak: ${minutes} min, seed ${seed}\n`);
// Ctrl+C ends the faults; the judgement follows. A second one ends everything.
const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort());
const report = await runSoak({
  seconds: minutes * 60,
  seed,
  say: (line) => void process.stdout.write(`${line}\n`),
  signal: interrupted.signal,
});
process.stdout.write(`${describeReport(report)}\n`);
process.exit(report.violations.length === 0 ? 0 : 1);
