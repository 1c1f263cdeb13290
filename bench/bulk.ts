/**
 * One large body down and one up, on one connection: megabytes per second and CPU seconds per gigabyte (10^9).
 */
import { Child, cpuSeconds } from './children.ts';
import type { LoadTarget } from './load.ts';
import type { BenchOptions } from './options.ts';
import type { Variant } from './variants/variant.ts';

export interface BulkOrder extends LoadTarget {
  readonly direction: 'down' | 'up';
  readonly bytes: number;
}

export interface BulkResult {
  readonly seconds: number;
  /** '' when every byte arrived. */
  readonly error: string;
}

export interface BulkSample {
  readonly megabytesPerSecond: number;
  /** Seconds per gigabyte of each measured part. */
  readonly cpu: readonly number[];
  readonly error: string;
}

export const DIRECTIONS = ['down', 'up'] as const;

/** Rounds of bulk: fewer than of requests, since each is long and steadier. */
const MOST_ROUNDS = 3;
/** Before them, not counted: compilers are not done with the first, of whose reads there are some thousands alone. */
const WARM_UPS = 2;

/** Samples by variant id and direction: `http down`. */
export async function measureBulk(
  variants: readonly Variant[],
  options: BenchOptions,
): Promise<Map<string, BulkSample[]>> {
  const samples = new Map<string, BulkSample[]>();
  const bytes = options.bulkMegabytes * 1e6;
  for (let round = 1 - WARM_UPS; round <= Math.min(options.rounds, MOST_ROUNDS); round++) {
    for (const variant of variants) {
      for (const direction of DIRECTIONS) {
        const sample = await transfer(variant, { ...variant.target, direction, bytes });
        const key = `${variant.id} ${direction}`;
        if (round > 0) samples.set(key, [...(samples.get(key) ?? []), sample]);
      }
    }
  }
  return samples;
}

async function transfer(variant: Variant, order: BulkOrder): Promise<BulkSample> {
  const child = Child.part('bulk-client', JSON.stringify(order), true);
  try {
    await child.line();
    const before = variant.measured.map(cpuSeconds);
    child.say('go');
    const result: BulkResult = JSON.parse(await child.line(120_000));
    const gigabytes = order.bytes / 1e9;
    return {
      megabytesPerSecond: order.bytes / 1e6 / result.seconds,
      cpu: variant.measured.map((part, index) => (cpuSeconds(part) - (before[index] ?? 0)) / gigabytes),
      error: result.error,
    };
  } finally {
    await child.stop();
  }
}
