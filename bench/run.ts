/**
 * `npm run bench`: CPU per request, rate and latency of Postern beside references found on this machine. See
 * docs/performance.md for how to read it.
 */
import { writeFile } from 'node:fs/promises';
import os from 'node:os';
import process from 'node:process';
import { runAgainst } from './against.ts';
import { measureBulk } from './bulk.ts';
import { countCalls } from './calls.ts';
import { canMeasureCpu, findCommand } from './children.ts';
import { countOurs } from './counted.ts';
import { writeDocs } from './docs.ts';
import { listing, startLineup } from './lineup.ts';
import { measureRounds } from './measure.ts';
import { readOptions, USAGE } from './options.ts';
import { bulkTable, callTable, figureLines, ratioLines, requestTable, table } from './report.ts';
import { bulkRows, circumstances, ratiosOf, requestRows, type Results } from './results.ts';
import type { Figure } from './scenarios/index.ts';
import { Missing, Stage } from './stage.ts';

if (process.argv.includes('--help')) {
  console.log(USAGE);
  process.exit(0);
}
if (process.argv.includes('--list')) {
  console.log(listing());
  process.exit(0);
}
const options = readOptions(process.argv.slice(2));
const wrk = options.ownLoad ? null : findCommand('wrk');
if (options.against !== '') {
  await runAgainst(options, wrk);
  process.exit(0);
}
const loadBefore = os.loadavg();
const stage = await Stage.open(options);
let stopping: Promise<void> | null = null;
const stop = (): Promise<void> => (stopping ??= stage.close());
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void stop().finally(() => process.exit(130)));
}

try {
  const lineup = await startLineup(stage);
  const samples = await measureRounds(lineup.variants, options, wrk);
  const bulk = await measureBulk(lineup.bulk, options);
  const figures: Figure[] = [];
  const skipped = [...lineup.skipped];
  const unlessMissing = async <T>(id: string, none: T, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      // One that fails costs nobody else's figures.
      if (!(error instanceof Missing)) process.exitCode = 1;
      skipped.push(`${id}: ${error instanceof Error ? error.message : String(error)}`);
      return none;
    }
  };
  for (const { id, title, run } of lineup.scenarios) {
    process.stderr.write(`${title}\n`);
    figures.push(...(await unlessMissing(id, [], () => run(stage))));
  }
  const { counts: count } = options;
  const calls = count
    ? await unlessMissing('system calls', [], () => countCalls(lineup.variants, options, stage.folder, wrk))
    : [];
  const results: Results = {
    ...circumstances(options, wrk, loadBefore),
    requests: requestRows(lineup.variants, samples),
    bulk: bulkRows(lineup.bulk, bulk),
    ratios: ratiosOf(samples, bulk),
    figures,
    calls,
    counts: count && canMeasureCpu ? await countOurs(await stage.upstream()) : {},
    skipped,
  };
  show(results);
  if (options.json !== '') await writeFile(options.json, `${JSON.stringify(results, null, 2)}\n`);
  if (options.writeDocs) await writeDocs(results);
} finally {
  await stop();
}

function show({
  machine,
  versions,
  load,
  connections,
  rounds,
  seconds,
  requests,
  bulk,
  ratios,
  ...rest
}: Results): void {
  const average = (loads: readonly number[]): string => (loads[0] ?? Number.NaN).toFixed(1);
  console.log(`\nNode ${versions['node']}, ${machine.cpus} × ${machine.model}, ${machine.system}`);
  console.log(`load average ${average(machine.loadBefore)} before, ${average(machine.loadAfter)} after`);
  console.log(`load: ${load},\n      ${connections} connections, ${rounds} rounds of ${seconds} s, medians`);
  if (!canMeasureCpu) console.log('CPU time can only be read on Linux; rates and latencies follow.');
  for (const line of rest.skipped) console.log(`skipped: ${line}`);
  if (requests.length > 0) console.log(`\n${requestTable(requests)}`);
  if (bulk.length > 0) console.log(`\n${bulkTable(bulk)}`);
  if (ratios.length > 0) console.log(`\nCPU ratios (medians of the rounds' own ratios)\n${ratioLines(ratios)}`);
  if (rest.calls.length > 0) console.log(`\n${callTable(rest.calls)}`);
  const counts = Object.entries(rest.counts).map(([name, count]) => [name, count.toFixed(3)]);
  if (counts.length > 0) console.log(`\n${table(['per request, one at a time', 'count'], counts)}`);
  if (rest.figures.length > 0) console.log(`\n${figureLines(rest.figures)}`);
}
