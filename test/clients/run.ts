/**
 * `npm run test:clients [-- --help]`: official clients, in their own languages, against a real server. README.md says how
 * to add one. Exit code 1: a duty failed in one of the runs, a program could not be built, or the registry has not what a
 * client needs and POSTERN_CLIENTS_MAY_MISS does not name its language; 2: nothing was run, since what was asked for is not
 * there.
 */
import { ALL } from './clients.ts';
import { type Asked, readArguments } from './harness/arguments.ts';
import type { Client } from './harness/client.ts';
import { writeResults } from './harness/page.ts';
import { Report } from './harness/report.ts';
import { type Run, runOf, runsText } from './harness/runs.ts';
import { BuildError, which } from './harness/toolchain.ts';

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

/** Several at once: duties wait more than they work, and each client has a server of its own. */
async function runAll({ clients, atOnce }: Asked): Promise<Report> {
  const report = new Report();
  const waiting = [...clients];
  const takeNext = async (): Promise<void> => {
    for (let client = waiting.shift(); client !== undefined; client = waiting.shift()) await run(client, report);
  };
  await Promise.all(Array.from({ length: atOnce }, takeNext));
  return report;
}

async function main(): Promise<number> {
  const asked = readArguments(process.argv.slice(2), ALL);
  if ('text' in asked) {
    (asked.code === 0 ? process.stdout : process.stderr).write(`${asked.text}\n`);
    return asked.code;
  }
  const runs: Run[] = [];
  let failures = 0;
  for (let left = asked.runs; left > 0; left -= 1) {
    const started = performance.now();
    const report = await runAll(asked);
    runs.push(runOf(report, started));
    if (asked.write) await writeResults(report.cells);
    const [passed, failed] = [report.count('passed'), report.count('failed')];
    failures += failed;
    if (passed + failed === 0 && 'POSTERN_CLIENTS_DUTY' in process.env) {
      process.stderr.write(`POSTERN_CLIENTS_DUTY: nothing that was asked has such a duty\n`);
      failures += 1;
    }
    const skipped = report.count('skipped') + report.count('refused');
    process.stdout.write(`clients: ${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  }
  if (runs.length > 1) process.stdout.write(`${runsText(runs)}\n`);
  return failures === 0 ? 0 : 1;
}

process.exitCode = await main();
