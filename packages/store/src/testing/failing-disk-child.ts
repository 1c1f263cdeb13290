/**
 * A process whose disk fails by order (failing-disk.c). Arguments: data directory, control file, what fails (`fsync`
 * or `write`), and `recover` or `crash`. Prints one line of JSON; `crash` kills itself right after the refusal.
 */
import { rmSync, writeFileSync, writeSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { domainRow } from '../contract/rows.ts';
import { openStore } from '../sqlite/store.ts';
import { StoreUnavailable } from '../types.ts';
import { TEST_KEY } from './key.ts';

const [directory = '', control = '', what = '', then = ''] = process.argv.slice(2);
const store = await openStore({ directory, encryptionKey: TEST_KEY });
const reserve = (n: number) => store.commit([store.reservedDomains.insert(domainRow(`rd_${n}`, `d${n}.example`))]);

await reserve(1);
writeFileSync(control, what);
const refusals: string[] = [];
for (const n of [2, 3]) {
  await reserve(n).catch((error: unknown) => {
    if (error instanceof StoreUnavailable) refusals.push(`${error.message} (${error.applied})`);
  });
}
const rows = (await store.all('reservedDomains')).map(({ id }) => id);
writeSync(1, `${JSON.stringify({ refusals, rows, health: store.health })}\n`);
if (then === 'crash') process.kill(process.pid, 'SIGKILL');

rmSync(control);
while (!store.health.writable) await setTimeout(20);
await reserve(2);
await store.close();
