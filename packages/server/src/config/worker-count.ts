import { availableParallelism } from 'node:os';
import type { SettingsReader } from './settings-reader.ts';

const MOST_WORKERS = 64;
/** The server has work of its own, and so has whatever else runs on a machine with more cores. */
const MOST_BY_CORES = 4;

/** `auto` is one for each core, four at most, and none where there is one core. @throws ConfigError */
export function workerCount(read: Pick<SettingsReader, 'text' | 'count'>, cores = availableParallelism()): number {
  if (read.text('workers') !== 'auto') return read.count('workers', MOST_WORKERS, 0);
  return cores === 1 ? 0 : Math.min(cores, MOST_BY_CORES);
}
