/**
 * Loaded into the server under the fault run (`--import`, with --expose-gc): on SIGUSR2 it collects garbage and writes
 * what is left in use to SOAK_MEMORY_FILE, so that what is held for ever is told from what has not been collected yet.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { memoryUsage } from 'node:process';

process.on('SIGUSR2', async () => {
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const file = process.env.SOAK_MEMORY_FILE ?? '';
  const { rss, heapUsed, external } = memoryUsage();
  writeFileSync(`${file}.new`, JSON.stringify({ rss, inUse: heapUsed + external }));
  renameSync(`${file}.new`, file);
});
