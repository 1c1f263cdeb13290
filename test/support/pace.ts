/**
 * How others are served while somebody misbehaves, judged against a control: the same visits of a server that is left
 * alone, in the same seconds of the same machine. What the machine is busy with slows both.
 */
import { quantile } from './spread.ts';

/** Milliseconds of each visit, of one visitor after another. */
export type Times = readonly number[];

/** Visits one after another until `over`; each waits for its answer, then for `pauseMs`. */
export async function visitAgain(visit: () => Promise<void>, over: () => boolean, pauseMs: number): Promise<Times> {
  const times: number[] = [];
  do {
    const began = performance.now();
    await visit();
    times.push(performance.now() - began);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  } while (!over());
  return times;
}

/**
 * What a visit of the control counts at least. An idle server of a quiet machine answers in one millisecond, and a single
 * turn of another's event loop is twenty of these; who waits for the misbehaving waits for seconds.
 */
const LEAST_MS = 3;

const sum = (times: Times): number => times.reduce((total, time) => total + time, 0);
const mean = (times: Times): number => sum(times) / times.length;

/**
 * How many times longer a visit takes than the control's: on average, and for the one in twenty that waits longest. One
 * number alone hides either a general slowness or stalls.
 */
export function slowdown(tried: Times, control: Times): number {
  const ratio = (one: (times: Times) => number): number => one(tried) / Math.max(LEAST_MS, one(control));
  return Math.max(
    ratio(mean),
    ratio((times) => quantile(times, 0.95)),
  );
}

export function describePace(tried: Times, control: Times): string {
  const one = (times: Times): string =>
    `mean ${mean(times).toFixed(1)}, p95 ${quantile(times, 0.95).toFixed(1)}, p99 ${quantile(times, 0.99).toFixed(1)} ms of ${times.length}`;
  return `${one(tried)}; control ${one(control)}; ${slowdown(tried, control).toFixed(1)} times slower`;
}
