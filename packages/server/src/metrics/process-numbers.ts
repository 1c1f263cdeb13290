import process from 'node:process';

export interface ProcessNumbers {
  readonly residentBytes: number;
  readonly cpuSeconds: number;
  /** Unix seconds. */
  readonly startedAt: number;
}

export function processNumbers(): ProcessNumbers {
  const { user, system } = process.cpuUsage();
  return {
    residentBytes: process.memoryUsage.rss(),
    cpuSeconds: (user + system) / 1e6,
    startedAt: performance.timeOrigin / 1000,
  };
}
