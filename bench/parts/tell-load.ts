/** How a generator tells what it has measured: one JSON line (LoadResult), and its end. */
import process from 'node:process';
import type { LoadResult } from '../load.ts';

/** @param latencies microseconds */
export function tellLoad(latencies: number[], errors: number, startedAt: bigint): void {
  const seconds = Number(process.hrtime.bigint() - startedAt) / 1e9;
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? 0;
  const result: LoadResult = { requests: latencies.length, seconds, errors, p50: at(0.5), p99: at(0.99) };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}
