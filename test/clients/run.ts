/**
 * `npm run test:clients [-- --only go,terraform] [--write]`: official clients, in their own languages, against a real
 * server. README.md says how to add one. Exit code 1: a duty failed, a program could not be built, or the registry has not
 * what a client needs and POSTERN_CLIENTS_MAY_MISS does not name its language.
 */
import { ALL } from './clients.ts';
import type { Client } from './harness/client.ts';
import { writeResults } from './harness/page.ts';
import { Report } from './harness/report.ts';
import { BuildError, which } from './harness/toolchain.ts';

/** Duties wait more than they work; each client has a server of its own. */
const AT_ONCE = 2;
const LANGUAGES = [...new Set(ALL.map(({ language }) => language))];

const report = new Report();
let refused = 0;

async function run(client: Client): Promise<void> {
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
    if (error.refused && allowed) refused += 1;
    const outcome = error.refused && allowed ? 'refused' : 'failed';
    report.add({ client: client.name, duty: 'build', outcome, why: error.message });
  }
}

async function main(): Promise<number> {
  const args = process.argv.slice(2);
  const at = args.indexOf('--only');
  const wanted = at < 0 ? LANGUAGES : (args[at + 1] ?? '').split(',');
  const unknown = wanted.filter((name) => !LANGUAGES.includes(name));
  if (unknown.length > 0) {
    process.stderr.write(`unknown: ${unknown.join(', ')}; there are ${LANGUAGES.join(', ')}\n`);
    return 2;
  }
  const asked = ALL.filter(({ language }) => wanted.includes(language));
  const waiting = asked.filter(({ alone }) => alone !== true);
  const takeNext = async (): Promise<void> => {
    for (let client = waiting.shift(); client !== undefined; client = waiting.shift()) await run(client);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, takeNext));
  for (const client of asked) if (client.alone === true) await run(client);
  if (args.includes('--write')) await writeResults(report.cells);
  const [passed, failed, skipped] = [report.count('passed'), report.count('failed'), report.count('skipped')];
  process.stdout.write(`clients: ${passed} passed, ${failed} failed, ${skipped + refused} skipped\n`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();
