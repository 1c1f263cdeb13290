/** Loaded into a process of the platform (`--import`): at each SIGUSR2 it collects its garbage, so that what is left is held. */
import process from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  process.on('SIGUSR2', () => {
    if (typeof collect !== 'function') return;
    // What the first frees may hold what the second does.
    collect();
    collect();
  });
}
