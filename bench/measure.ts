/**
 * The rounds: every variant in turn, again and again, so that what disturbs the machine disturbs all alike.
 */
import { cpuSeconds } from './children.ts';
import { load, type LoadTarget } from './load.ts';
import type { BenchOptions } from './options.ts';
import type { Variant } from './variants/variant.ts';

/** One variant in one round. Times in microseconds. */
export interface Sample {
  readonly requestsPerSecond: number;
  /** CPU per request of each measured part. */
  readonly cpu: readonly number[];
  /** Under the full load. */
  readonly p50: number;
  readonly p99: number;
  /** With one connection: what the path itself adds. */
  readonly quietP50: number;
  readonly quietP99: number;
  readonly errors: number;
}

const QUIET_SECONDS = 0.4;
/** The compilers are done with a server of ours behind some 100,000 requests, or 10,000 connections. */
const WARM_UP_SECONDS = 4;

export async function measureRounds(
  variants: readonly Variant[],
  options: BenchOptions,
  wrk: string | null,
): Promise<Map<string, Sample[]>> {
  const samples = new Map<string, Sample[]>(variants.map((variant) => [variant.id, []]));
  if (variants.length === 0) return samples;
  // One round for the compilers and the connection pools of all parts, which is not counted.
  for (const variant of variants)
    await load({ connections: options.connections, ...variant.target, seconds: WARM_UP_SECONDS }, wrk, noop);
  for (let round = 1; round <= options.rounds; round++) {
    // There and back: who comes later in a round comes earlier in the next.
    for (const variant of round % 2 === 1 ? variants : variants.toReversed()) {
      samples.get(variant.id)?.push(await measureOnce(variant, options, wrk));
    }
    process.stderr.write(`round ${round} of ${options.rounds}\n`);
  }
  return samples;
}

function noop(): void {
  // Nothing is measured.
}

async function measureOnce(variant: Variant, options: BenchOptions, wrk: string | null): Promise<Sample> {
  const target: LoadTarget = variant.target;
  let before: number[] = [];
  const busy = await load({ connections: options.connections, ...target, seconds: options.seconds }, wrk, () => {
    before = variant.measured.map(cpuSeconds);
  });
  const cpu = variant.measured.map((part, index) => ((cpuSeconds(part) - (before[index] ?? 0)) / busy.requests) * 1e6);
  // Always our generator: wrk rounds to 10 microseconds at this end of the scale, and both schemes must be comparable.
  const quiet = await load({ ...target, connections: 1, seconds: QUIET_SECONDS }, null, noop);
  return {
    requestsPerSecond: busy.requests / busy.seconds,
    cpu,
    p50: busy.p50,
    p99: busy.p99,
    quietP50: quiet.p50,
    quietP99: quiet.p99,
    errors: busy.errors + quiet.errors,
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) return Number.NaN;
  if (sorted.length % 2 === 1) return sorted[Math.floor(middle)] ?? Number.NaN;
  return ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
