/** Processes that get a share of a core and no more, so that a rate follows from what they do with it (cgroups(7)). */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { Missing } from './stage.ts';

const ROOT = '/sys/fs/cgroup';
/** Short, so that nobody waits long for his next turn. Microseconds. */
const PERIOD = 20_000;

/** Where groups can be made: by the second version's names, or the first's. */
function parent(): {
  readonly folder: string;
  readonly files: (quota: number) => readonly (readonly [string, string])[];
} {
  const first = path.join(ROOT, 'cpu');
  if (existsSync(path.join(first, 'cpu.cfs_quota_us'))) {
    const files = (quota: number): readonly (readonly [string, string])[] => [
      // Beside other groups and processes, the most weight that there is: what holds it back is the quota.
      ['cpu.shares', '262144'],
      ['cpu.cfs_period_us', String(PERIOD)],
      ['cpu.cfs_quota_us', String(quota)],
    ];
    return { folder: first, files };
  }
  const control = path.join(ROOT, 'cgroup.subtree_control');
  if (!existsSync(control) || !readFileSync(control, 'utf8').split(/\s/).includes('cpu'))
    throw new Missing('control groups with a share of CPU cannot be made');
  return {
    folder: ROOT,
    files: (quota) => [
      ['cpu.weight', '10000'],
      ['cpu.max', `${quota} ${PERIOD}`],
    ],
  };
}

/**
 * Each process in a group of its own, with all its threads.
 * @param share of one core
 * @returns takes the groups away again, once the processes are gone or elsewhere
 * @throws Missing
 */
export function holdBack(pids: readonly number[], share: number): () => void {
  const { folder, files } = parent();
  const made: string[] = [];
  const release = (): void => {
    for (const group of made.splice(0)) {
      for (const pid of readFileSync(path.join(group, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean))
        writeFileSync(path.join(folder, 'cgroup.procs'), pid);
      rmdirSync(group);
    }
  };
  try {
    for (const pid of pids) {
      const group = path.join(folder, `postern-bench-${process.pid}-${pid}`);
      mkdirSync(group);
      made.push(group);
      for (const [file, value] of files(Math.round(share * PERIOD))) writeFileSync(path.join(group, file), value);
      writeFileSync(path.join(group, 'cgroup.procs'), String(pid));
    }
  } catch (error) {
    release();
    throw new Missing(`control groups with a share of CPU cannot be made: ${String(error)}`);
  }
  return release;
}
