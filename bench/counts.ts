/**
 * What a request costs that the noise of a machine does not change: bytes allocated, collections, reads and writes of
 * the operating system, in the server and in the agent. Times are the business of `run.ts`.
 *
 * Usage: node scripts/node24.mjs bench/counts.ts [--against COMMIT] [--guard] [--write]
 *   --against COMMIT  this tree and another commit of it, and the ratio of each count
 *   --guard           fails, by name, when a count is more than 5 % above bench/counts.json
 *   --write           writes that file; the commit that does says why
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { repositoryRoot } from '../test/support/platform.ts';
import { checkOut } from './checkout.ts';
import { canMeasureCpu, Child } from './children.ts';
import { type Counts, CountedPlatform } from './counted.ts';
import { table } from './report.ts';

const BASELINE = path.join(repositoryRoot, 'bench', 'counts.json');
/** Of a count above its baseline. */
const MOST_MORE = 1.05;
/** Below it a share says nothing: an id that is a character longer. */
const LEAST = { bytes: 256, calls: 0.1 };

const { values } = parseArgs({
  options: {
    against: { type: 'string', default: '' },
    guard: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
if (!canMeasureCpu) {
  console.log('skipped: reads and writes of a process can only be counted on Linux');
  process.exit(0);
}
process.exitCode = await main();

async function main(): Promise<number> {
  const now = await countsOf(repositoryRoot);
  if (values.against !== '') {
    const then = checkOut(repositoryRoot, values.against);
    try {
      console.log(`then: ${then.title}`);
      show(now, await countsOf(then.root), 'then');
    } finally {
      then.remove();
    }
    return 0;
  }
  if (values.write) await writeFile(BASELINE, `${JSON.stringify(rounded(now), null, 2)}\n`);
  const baseline: Counts = JSON.parse(await readFile(BASELINE, 'utf8'));
  show(now, baseline, 'baseline');
  if (!values.guard) return 0;
  const over = Object.entries(now).filter(([name, count]) => isOver(name, count, baseline[name]));
  for (const [name, count] of over) {
    console.log(`${name}: ${count.toFixed(2)} is more than ${MOST_MORE} times ${baseline[name]} (bench/counts.json)`);
  }
  for (const name of Object.keys(baseline).filter((one) => !(one in now)))
    console.log(`${name} is not counted any more`);
  return over.length === 0 ? 0 : 1;
}

function isOver(name: string, count: number, before: number | undefined): boolean {
  if (before === undefined) return true;
  const least = name.endsWith('bytes') ? LEAST.bytes : LEAST.calls;
  return count > before * MOST_MORE && count - before > least;
}

async function countsOf(root: string): Promise<Counts> {
  const upstream = Child.part('upstream', '');
  try {
    await using platform = await CountedPlatform.start(Number(await upstream.line()), root);
    // How often V8 collects follows from what is allocated, and from its moods.
    const counts = Object.entries(await platform.count()).filter(([name]) => !name.includes('collections'));
    return Object.fromEntries(counts);
  } finally {
    await upstream.stop();
  }
}

function rounded(counts: Counts): Counts {
  return Object.fromEntries(
    Object.entries(counts).map(([name, count]) => [name, Number(count.toFixed(name.endsWith('bytes') ? 0 : 2))]),
  );
}

function show(now: Counts, before: Counts, title: string): void {
  const rows = Object.entries(now).map(([name, count]) => {
    const other = before[name] ?? Number.NaN;
    const ratio = other < LEAST.calls ? '' : (count / other).toFixed(3);
    return [name, count.toFixed(2), other.toFixed(2), ratio];
  });
  console.log(`\n${table(['per request', 'now', title, 'ratio'], rows)}`);
}
