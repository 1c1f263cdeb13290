/** Runs targets one after another in a worker, within bounds of cases and time. */
import { Worker } from 'node:worker_threads';
import { TARGETS } from './targets.ts';

/** A case that is still the same after this long hangs, however busy the machine is. */
const HANG_MS = 60_000;
const HEAP_MB = 512;

export interface FuzzOptions {
  /** For all targets together. */
  readonly cases: number;
  readonly seconds: number;
  readonly seed: number;
  /** Names, or beginnings of names; empty = all. */
  readonly only?: readonly string[];
  /** Number of the first case of each target, to run one again. */
  readonly first?: number;
  readonly onResult?: (result: TargetResult) => void;
}

export interface FuzzJob {
  readonly targets: readonly string[];
  /** For all of them together. */
  readonly cases: number;
  readonly seconds: number;
  readonly seed: number;
  readonly first: number;
  readonly progress: SharedArrayBuffer;
}

export interface Finding {
  /** Of the first case that showed it. */
  readonly number: number;
  readonly problem: string;
  readonly input: string;
  times: number;
}

export interface TargetResult {
  readonly target: string;
  readonly cases: number;
  readonly seconds: number;
  readonly findings: readonly Finding[];
}

/** @throws when `only` fits no target */
export async function runFuzz(options: FuzzOptions): Promise<readonly TargetResult[]> {
  const { only = [], seed, first = 0 } = options;
  const names = TARGETS.map(({ name }) => name).filter(
    (name) => only.length === 0 || only.some((wanted) => name.startsWith(wanted)),
  );
  if (names.length === 0) throw new Error(`targets: ${TARGETS.map(({ name }) => name).join(', ')}`);
  const results: TargetResult[] = [];
  let { cases, seconds } = options;
  while (results.length < names.length) {
    const targets = names.slice(results.length);
    await runWorker({ targets, cases, seconds, seed, first, progress: new SharedArrayBuffer(4) }, (result) => {
      cases = Math.max(0, cases - result.cases);
      seconds = Math.max(1, seconds - result.seconds);
      results.push(result);
      options.onResult?.(result);
    });
  }
  return results;
}

/** Resolves when every target has its result, or when one broke the worker: that is its result then. */
function runWorker(job: FuzzJob, onResult: (result: TargetResult) => void): Promise<void> {
  const current = new Int32Array(job.progress);
  const worker = new Worker(new URL('worker.ts', import.meta.url), {
    workerData: job,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  });
  return new Promise((resolve) => {
    let open = job.targets;
    let over = false;
    let last = -1;
    let since = performance.now();
    let started = since;
    const tell = (result: TargetResult): void => {
      if (over) return;
      open = open.slice(1);
      started = performance.now();
      onResult(result);
      if (open.length === 0) finish();
    };
    const finish = (): void => {
      over = true;
      clearInterval(watch);
      void worker.terminate();
      resolve();
    };
    const stop = (problem: string): void => {
      if (over) return;
      const number = Atomics.load(current, 0);
      const seconds = (performance.now() - started) / 1_000;
      const findings = [{ number, problem, input: '', times: 1 }];
      tell({ target: open[0] ?? '', cases: Math.max(0, number - job.first), seconds, findings });
      if (!over) finish();
    };
    const watch = setInterval(() => {
      const number = Atomics.load(current, 0);
      if (number !== last) since = performance.now();
      last = number;
      if (performance.now() - since > HANG_MS) stop(`a case that does not end within ${HANG_MS} ms`);
    }, 500);
    worker.on('message', tell);
    // Out of memory, or an error outside of a case.
    worker.once('error', (error) => stop(`the worker ended: ${String(error)}`));
    worker.once('exit', (code) => stop(`the worker ended with code ${code}`));
  });
}

export function describeResult({ target, cases, seconds, findings }: TargetResult): string {
  const speed = Math.round(cases / Math.max(0.001, seconds));
  const line = `${target.padEnd(16)} ${String(cases).padStart(8)} cases  ${String(speed).padStart(7)}/s  ${findings.length} findings`;
  const details = findings.map(
    ({ number, problem, input, times }) => `  case ${number} (${times} like it): ${problem}\n    input: ${input}`,
  );
  return [line, ...details].join('\n');
}
