/**
 * `npm run test:clients [-- --only go,terraform] [--write] [--runs 20] [--at-once 2]`: official clients, in their own
 * languages, against a real server. README.md says how to add one. Exit code 1: a duty failed in one of the runs, a program
 * could not be built, or the registry has not what a client needs and POSTERN_CLIENTS_MAY_MISS does not name its language.
 */
import { parseArgs } from 'node:util';
import { ALL } from './clients.ts';
import type { Client } from './harness/client.ts';
import { writeResults } from './harness/page.ts';
import { Report } from './harness/report.ts';
import { type Run, runOf, runsText } from './harness/runs.ts';
import { BuildError, which } from './harness/toolchain.ts';

/** Languages, and parts of the suite across them. */
const NAMES = [...new Set([...ALL.map(({ language }) => language), ...ALL.flatMap(({ part }) => part ?? [])])];

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: NAMES.join(',') },
    write: { type: 'boolean', default: false },
    runs: { type: 'string', default: '1' },
    // Duties wait more than they work; each client has a server of its own.
    'at-once': { type: 'string', default: '2' },
  },
});

async function run(client: Client, report: Report): Promise<void> {
  const missing = client.tools.filter((tool) => which(tool) === '');
  if (missing.length > 0) {
    report.add({ client: client.name, duty: 'all', outcome: 'skipped', why: `no ${missing.join(', ')} on PATH` });
    return;
  }
  try {
    await client.run(report);
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    const allowed = (process.env['POSTERN_CLIENTS_MAY_MISS'] ?? '').split(',').includes(client.language);
    const outcome = error.refused && allowed ? 'refused' : 'failed';
    report.add({ client: client.name, duty: 'build', outcome, why: error.message });
  }
}

async function runAll(asked: readonly Client[]): Promise<Report> {
  const report = new Report();
  const waiting = [...asked];
  const takeNext = async (): Promise<void> => {
    for (let client = waiting.shift(); client !== undefined; client = waiting.shift()) await run(client, report);
  };
  await Promise.all(Array.from({ length: Number(options['at-once']) }, takeNext));
  return report;
}

async function main(): Promise<number> {
  const wanted = options.only.split(',');
  const unknown = wanted.filter((name) => !NAMES.includes(name));
  if (unknown.length > 0) {
    process.stderr.write(`unknown: ${unknown.join(', ')}; there are ${NAMES.join(', ')}\n`);
    return 2;
  }
  const asked = ALL.filter(({ language, part }) => wanted.some((name) => name === language || name === part));
  const runs: Run[] = [];
  let failures = 0;
  for (let left = Number(options.runs); left > 0; left -= 1) {
    const started = performance.now();
    const report = await runAll(asked);
    runs.push(runOf(report, started));
    if (options.write) await writeResults(report.cells);
    const [passed, failed] = [report.count('passed'), report.count('failed')];
    failures += failed;
    const skipped = report.count('skipped') + report.count('refused');
    process.stdout.write(`clients: ${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  }
  if (runs.length > 1) process.stdout.write(`${runsText(runs)}\n`);
  return failures === 0 ? 0 : 1;
}

process.exitCode = await main();
