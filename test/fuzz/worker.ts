/**
 * One target in a thread of its own, whose heap has a bound and which can be ended from outside when a case hangs. The
 * case under way is always to be read in shared memory.
 */
import { memoryUsage } from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { Dice } from '../support/dice.ts';
import type { Finding, FuzzJob, TargetResult } from './fuzz.ts';
import { TARGETS } from './targets.ts';

/** One case takes well under a millisecond; two slow runs in a row are no hiccup of the machine. */
const CASE_MS = 1_000;
/** What the parsers may still hold when everything was thrown away, and what they may hold in between. */
const LEFT_BYTES = 24 * 1024 * 1024;
const HELD_BYTES = 192 * 1024 * 1024;
const LOOK_EVERY = 256;
const WARM_UP = 1_024;
const MOST_FINDINGS = 20;

const job: FuzzJob = workerData;
const target = TARGETS.find(({ name }) => name === job.target);
if (target === undefined) throw new Error(`no target ${job.target}`);

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');
const progress = new Int32Array(job.progress);
const findings = new Map<string, Finding>();
const started = performance.now();
const deadline = started + job.seconds * 1_000;
let baseline = 0;
let done = 0;

function held(): number {
  const { heapUsed, arrayBuffers } = memoryUsage();
  return heapUsed + arrayBuffers;
}

function note(number: number, problem: string, input: string): void {
  const known = findings.get(problem);
  if (known !== undefined) known.times++;
  else if (findings.size < MOST_FINDINGS) findings.set(problem, { number, problem, input, times: 1 });
}

/** The dice of a case depend on seed, target and number alone, so that one case can be run again. */
function run(number: number): { problem: string | null; input: string } {
  return target?.run(new Dice(seedOf(number))) ?? { problem: null, input: '' };
}

function seedOf(number: number): number {
  let hash = job.seed | 0;
  for (const letter of `${job.target} ${number}`) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193);
  return hash >>> 0;
}

for (let number = job.first; done < job.cases; number++, done++) {
  Atomics.store(progress, 0, number);
  const before = performance.now();
  if (before > deadline) break;
  const { problem, input } = run(number);
  if (problem !== null) note(number, problem, input);
  if (performance.now() - before > CASE_MS) {
    const second = performance.now();
    run(number);
    if (performance.now() - second > CASE_MS) note(number, `a case of more than ${CASE_MS} ms`, input);
  }
  if (done === WARM_UP) {
    collect();
    baseline = held();
  } else if (done > WARM_UP && done % LOOK_EVERY === 0 && held() - baseline > HELD_BYTES) {
    collect();
    if (held() - baseline > HELD_BYTES) {
      note(number, `more than ${HELD_BYTES} bytes held`, '');
      break;
    }
  }
}
const seconds = (performance.now() - started) / 1_000;
if (done > WARM_UP) {
  collect();
  const left = held() - baseline;
  if (left > LEFT_BYTES) note(job.first + done, `${left} bytes left behind by ${done} cases`, '');
}
const result: TargetResult = { target: job.target, cases: done, seconds, findings: [...findings.values()] };
parentPort?.postMessage(result);
