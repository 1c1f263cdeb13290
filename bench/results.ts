/** A run's results as values: what `--json` writes, and all tables are made of. */
import { execFileSync } from 'node:child_process';
import os from 'node:os';
import process from 'node:process';
import { repositoryRoot } from '../test/support/platform.ts';
import { DIRECTIONS } from './bulk.ts';
import { findCommand } from './children.ts';
import { median, type Sample } from './measure.ts';
import type { BenchOptions } from './options.ts';
import { bulkRatios, type BulkSamples, type Ratio, requestRatios, type Samples, sum } from './ratios.ts';
import type { Figure } from './scenarios/index.ts';
import type { Variant } from './variants/variant.ts';

/** Medians of the rounds. Times in microseconds. */
export interface RequestRow {
  readonly id: string;
  readonly title: string;
  readonly cpu: readonly { readonly part: string; readonly us: number }[];
  readonly sum: number;
  readonly requestsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly quietP50: number;
  readonly quietP99: number;
  /** `quietP50` minus that of the upstream itself. */
  readonly addedP50: number;
  readonly errors: number;
}

export interface BulkRow {
  readonly id: string;
  readonly title: string;
  readonly direction: string;
  readonly megabytesPerSecond: number;
  /** Seconds per gigabyte (10^9). */
  readonly cpu: readonly { readonly part: string; readonly seconds: number }[];
  readonly sum: number;
  /** '' when every byte arrived. */
  readonly error: string;
}

/** What one process did for one request. */
export interface CallRow {
  readonly id: string;
  readonly part: string;
  readonly total: number;
  /** The most frequent, by name. */
  readonly calls: Readonly<Record<string, number>>;
}

export interface Machine {
  readonly cpus: number;
  readonly model: string;
  readonly memoryMiB: number;
  readonly system: string;
  /** Load averages of one, five and fifteen minutes: when the run began, and when it ended. */
  readonly loadBefore: readonly number[];
  readonly loadAfter: readonly number[];
}

export interface Results {
  /** ISO 8601 */
  readonly date: string;
  /** '' outside a clone. */
  readonly commit: string;
  readonly machine: Machine;
  /** First lines of what programs say of themselves. */
  readonly versions: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  readonly load: string;
  readonly requests: readonly RequestRow[];
  readonly bulk: readonly BulkRow[];
  readonly ratios: readonly Ratio[];
  readonly figures: readonly Figure[];
  /** System calls per request under full load. */
  readonly calls: readonly CallRow[];
  /** What server and agent allocate, read, write and collect per request: `<variant> <process> <count>`. */
  readonly counts: Readonly<Record<string, number>>;
  readonly skipped: readonly string[];
}

export function requestRows(variants: readonly Variant[], samples: Samples): readonly RequestRow[] {
  const direct = median((samples.get('direct') ?? []).map((sample) => sample.quietP50));
  return variants.map(({ id, title, measured }) => {
    const own = samples.get(id) ?? [];
    const of = (pick: (sample: Sample) => number): number => median(own.map(pick));
    return {
      id,
      title,
      cpu: measured.map(({ label }, index) => ({
        part: label,
        us: of((sample) => sample.cpu[index] ?? Number.NaN),
      })),
      sum: measured.length === 0 ? Number.NaN : of((sample) => sum(sample.cpu)),
      requestsPerSecond: of((sample) => sample.requestsPerSecond),
      p50: of((sample) => sample.p50),
      p99: of((sample) => sample.p99),
      quietP50: of((sample) => sample.quietP50),
      quietP99: of((sample) => sample.quietP99),
      addedP50: of((sample) => sample.quietP50) - direct,
      errors: sum(own.map(({ errors }) => errors)),
    };
  });
}

export function bulkRows(variants: readonly Variant[], samples: BulkSamples): readonly BulkRow[] {
  return variants.flatMap(({ id, title, measured }) =>
    DIRECTIONS.map((direction) => {
      const own = samples.get(`${id} ${direction}`) ?? [];
      return {
        id,
        title,
        direction,
        megabytesPerSecond: median(own.map((sample) => sample.megabytesPerSecond)),
        cpu: measured.map(({ label }, index) => ({
          part: label,
          seconds: median(own.map((sample) => sample.cpu[index] ?? Number.NaN)),
        })),
        sum: measured.length === 0 ? Number.NaN : median(own.map((sample) => sum(sample.cpu))),
        error: own.find((sample) => sample.error !== '')?.error ?? '',
      };
    }),
  );
}

export function ratiosOf(samples: Samples, bulk: BulkSamples): readonly Ratio[] {
  return [...requestRatios(samples), ...bulkRatios(bulk)];
}

/** What a run is told by, beside its figures. @param loadBefore load averages when it began */
export function circumstances(
  options: BenchOptions,
  wrk: string | null,
  loadBefore: readonly number[],
): Pick<Results, 'date' | 'commit' | 'machine' | 'versions' | 'rounds' | 'seconds' | 'connections' | 'load'> {
  const { rounds, seconds, connections } = options;
  return {
    date: new Date().toISOString(),
    commit: firstLine('git', ['-C', repositoryRoot, 'log', '-1', '--format=%h']),
    machine: {
      cpus: os.cpus().length,
      model: os.cpus()[0]?.model.trim() ?? '',
      memoryMiB: Math.round(os.totalmem() / 1_048_576),
      system: `${os.type()} ${os.release()}`,
      loadBefore,
      loadAfter: os.loadavg(),
    },
    versions: { node: process.versions.node, ...versionsOf(PROGRAMS) },
    rounds,
    seconds,
    connections,
    load: wrk === null ? 'own generator' : 'wrk for http, own generator for the rest',
  };
}

/** By what each says its version on its first line. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  nginx: ['-v'],
  haproxy: ['-v'],
  wrk: ['-v'],
  ssh: ['-V'],
  frps: ['--version'],
  rathole: ['--version', '|', 'grep', 'Version'],
};

function versionsOf(programs: typeof PROGRAMS): Record<string, string> {
  const versions: Record<string, string> = {};
  for (const [name, args] of Object.entries(programs)) {
    const command = findCommand(name);
    if (command !== null) versions[name] = firstLine('sh', ['-c', `"$0" ${args.join(' ')} 2>&1`, command]);
  }
  return versions;
}

function firstLine(command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n')[0] ?? '';
  } catch (error) {
    // Some say their version and end with an error.
    const { stdout } = Object(error);
    return typeof stdout === 'string' ? (stdout.split('\n')[0] ?? '') : '';
  }
}
