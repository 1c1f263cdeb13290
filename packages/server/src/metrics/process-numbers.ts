import process from 'node:process';
import type { ProcessNumbers } from './metrics.ts';

export function processNumbers(): ProcessNumbers {
  const { user, system } = process.cpuUsage();
  return {
    residentBytes: process.memoryUsage.rss(),
    cpuSeconds: (user + system) / 1e6,
    startedAt: performance.timeOrigin / 1000,
  };
}
