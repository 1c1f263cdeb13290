/**
 * `npm run bench`: CPU per request, rate and latency of Postern beside references found on this machine. See
 * docs/performance.md for how to read it.
 */
import os from 'node:os';
import process from 'node:process';
import { runAgainst } from './against.ts';
import { measureBulk } from './bulk.ts';
import { canMeasureCpu, findCommand } from './children.ts';
import { startLineup } from './lineup.ts';
import { measureRounds } from './measure.ts';
import { readOptions, USAGE } from './options.ts';
import { bulkRatios, bulkTable, ratioLines, requestRatios, requestTable } from './report.ts';

if (process.argv.includes('--help')) {
  console.log(USAGE);
  process.exit(0);
}
const options = readOptions(process.argv.slice(2));
const wrk = options.ownLoad ? null : findCommand('wrk');
if (options.against !== '') {
  await runAgainst(options, wrk);
  process.exit(0);
}
const lineup = await startLineup(options);

let stopping: Promise<void> | null = null;
const stop = (): Promise<void> => (stopping ??= lineup.stop());
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void stop().finally(() => process.exit(130)));
}

try {
  const samples = await measureRounds(lineup.variants, options, wrk);
  const bulk = options.bulkMegabytes > 0 ? await measureBulk(lineup.bulk, options) : null;

  console.log(
    `\nNode ${process.versions.node}, ${os.cpus().length} × ${os.cpus()[0]?.model.trim() ?? 'CPU'}, ${os.platform()}`,
  );
  console.log(`load: ${wrk === null ? 'own generator' : 'wrk for http, own generator for https'},`);
  console.log(`      ${options.connections} connections, ${options.rounds} rounds of ${options.seconds} s, medians`);
  if (!canMeasureCpu) console.log('CPU time can only be read on Linux; rates and latencies follow.');
  for (const line of lineup.skipped) console.log(`skipped: ${line}`);
  console.log(`\n${requestTable(lineup.variants, samples)}`);
  const ratios = requestRatios(samples);
  if (ratios.length > 0) console.log(`\nCPU ratios (medians of the rounds' own ratios)\n${ratioLines(ratios)}`);
  if (bulk !== null) {
    console.log(`\n${bulkTable(lineup.bulk, bulk)}`);
    console.log(`\nCPU ratios\n${ratioLines(bulkRatios(bulk))}`);
  }
} finally {
  await stop();
}
