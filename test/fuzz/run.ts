/**
 * `npm run fuzz -- --cases 1000000 --seconds 300 --seed 7 --only mux`: mutated input for everything that reads bytes of
 * strangers. `--case N` runs one case of a seed again. Exit code 1 when anything is found.
 */
import { parseArgs } from 'node:util';
import { describeResult, runFuzz } from './fuzz.ts';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '1000000' },
    seconds: { type: 'string', default: '300' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    only: { type: 'string', multiple: true, default: [] },
    case: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const first = Number(values.case ?? 0);
const cases = values.case === undefined ? Number(values.cases) : 1;
const seconds = Number(values.seconds);
const seed = Number(values.seed);

if (values.help || !(cases > 0) || !(seconds > 0) || !Number.isInteger(seed) || !(first >= 0)) {
  process.stdout.write(
    'npm run fuzz -- [--cases 1000000] [--seconds 300] [--seed 7] [--only NAME]… [--case NUMBER]\n\n' +
      'What runs over live connections is long by an environment variable (POSTERN_SEED sets the seed):\n' +
      '  POSTERN_FUZZ_SECONDS=1800 npm test -- packages/edge/src/http/http2-services-fuzz.test.ts\n' +
      '  POSTERN_FUZZ_SECONDS=1800 npm test -- packages/edge/src/http/http2-resets.test.ts\n',
  );
  process.exit(values.help ? 0 : 2);
}
process.stdout.write(`fuzz: up to ${cases} cases in up to ${seconds} s, seed ${seed}\n`);
const results = await runFuzz({
  cases,
  seconds,
  seed,
  first,
  only: values.only,
  onResult: (result) => void process.stdout.write(`${describeResult(result)}\n`),
});
const found = results.reduce((sum, { findings }) => sum + findings.length, 0);
const total = results.reduce((sum, result) => sum + result.cases, 0);
process.stdout.write(`fuzz: ${total} cases, ${found} findings, seed ${seed}\n`);
process.exit(found === 0 ? 0 : 1);
