/**
 * `npm run bench`: CPU per request, rate and latency of Postern beside references found on this machine. See
 * docs/performance.md for how to read it.
 */
import { writeFile } from 'node:fs/promises';
import os from 'node:os';
import process from 'node:process';
import { runAgainst } from './against.ts';
import { measureBulk } from './bulk.ts';
import { canMeasureCpu, findCommand } from './children.ts';
import { writeDocs } from './docs.ts';
import { listing, startLineup } from './lineup.ts';
import { measureRounds } from './measure.ts';
import { readOptions, USAGE } from './options.ts';
import { bulkTable, figureLines, ratioLines, requestTable } from './report.ts';
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
  for (const { id, title, run } of lineup.scenarios) {
    process.stderr.write(`${title}\n`);
    try {
      figures.push(...(await run(stage)));
    } catch (error) {
      if (!(error instanceof Missing)) throw error;
      skipped.push(`${id}: ${error.message}`);
    }
  }
  const results: Results = {
    ...circumstances(options, wrk, loadBefore),
    requests: requestRows(lineup.variants, samples),
    bulk: bulkRows(lineup.bulk, bulk),
    ratios: ratiosOf(samples, bulk),
    figures,
    calls: [],
    counts: {},
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
  if (rest.figures.length > 0) console.log(`\n${figureLines(rest.figures)}`);
}
