/**
 * Targets, one after another, in a thread of its own, whose heap has a bound and which can be ended from outside when a
 * case hangs. The case under way is always to be read in shared memory.
 */
import { memoryUsage, threadCpuUsage } from 'node:process';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { Dice } from '@postern/edge/testing/dice';
import type { Finding, FuzzJob, TargetResult } from './fuzz.ts';
import type { FuzzTarget, Outcome } from './target.ts';
import { TARGETS } from './targets.ts';

/** Of this thread's own work, whatever the machine does beside it. One case takes well under a millisecond. */
const CASE_MS = 1_000;
/** What the parsers may still hold when everything was thrown away, and what they may hold in between. */
const LEFT_BYTES = 24 * 1024 * 1024;
const HELD_BYTES = 192 * 1024 * 1024;
/** Until what is still held is taken for lost: five seconds. */
const COLLECTIONS = 32;
const LOOK_EVERY = 256;
const WARM_UP = 1_024;
const MOST_FINDINGS = 20;
/** After so many the thread gets a turn of its event loop. */
const CASES_PER_TURN = 16;
/** Of each target, however little time a busy machine leaves it. */
const LEAST_CASES = 100;

const job: FuzzJob = workerData;
setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');
const progress = new Int32Array(job.progress);

function held(): number {
  const { heapUsed, arrayBuffers } = memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Milliseconds of CPU. */
function workSince(before: NodeJS.CpuUsage): number {
  const { user, system } = threadCpuUsage(before);
  return (user + system) / 1_000;
}

class Run {
  readonly #target: FuzzTarget;
  readonly #findings = new Map<string, Finding>();
  #baseline = 0;
  #done = 0;

  constructor(target: FuzzTarget) {
    this.#target = target;
  }

  async within(cases: number, seconds: number): Promise<TargetResult> {
    const started = performance.now();
    const deadline = started + seconds * 1_000;
    const least = Math.min(cases, LEAST_CASES);
    const goesOn = (): boolean => this.#done < least || (this.#done < cases && performance.now() < deadline);
    for (let number = job.first; goesOn(); number++, this.#done++) {
      Atomics.store(progress, 0, number);
      this.#case(number);
      // What a case promised for a later turn holds on to it until there is one.
      // oxlint-disable-next-line no-await-in-loop
      if (number % CASES_PER_TURN === 0) await nextTurn();
      // oxlint-disable-next-line no-await-in-loop
      if (!(await this.#fits(number))) break;
    }
    const took = (performance.now() - started) / 1_000;
    if (this.#done > WARM_UP) {
      const left = await this.#left(LEFT_BYTES);
      if (left > LEFT_BYTES) this.#note(job.first, `${left} bytes left behind by ${this.#done} cases`, '');
    }
    return { target: this.#target.name, cases: this.#done, seconds: took, findings: [...this.#findings.values()] };
  }

  #case(number: number): void {
    const before = threadCpuUsage();
    const { problem, input } = this.#play(number);
    if (problem !== null) this.#note(number, problem, input);
    if (workSince(before) <= CASE_MS) return;
    // Compiling and collecting happen once; what is slow of itself is slow again.
    const second = threadCpuUsage();
    this.#play(number);
    if (workSince(second) > CASE_MS) this.#note(number, `a case of more than ${CASE_MS} ms`, input);
  }

  /** The dice of a case depend on seed, target and number alone, so that one case can be run again. */
  #play(number: number): Outcome {
    let hash = job.seed | 0;
    for (const letter of `${this.#target.name} ${number}`) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193);
    return this.#target.run(new Dice(hash >>> 0));
  }

  /** Looks at the memory now and then. */
  async #fits(number: number): Promise<boolean> {
    if (this.#done === WARM_UP) {
      collect();
      this.#baseline = held();
      return true;
    }
    if (this.#done < WARM_UP || this.#done % LOOK_EVERY !== 0 || held() - this.#baseline <= HELD_BYTES) return true;
    if ((await this.#left(HELD_BYTES)) <= HELD_BYTES) return true;
    this.#note(number, `more than ${HELD_BYTES} bytes held`, '');
    return false;
  }

  /**
   * Bytes that nothing frees any more, or at most so many. Memory of buffers is given back beside a collection by a thread of
   * its own, which a busy machine may keep waiting, and what cases promised to each other takes turns.
   */
  async #left(most: number): Promise<number> {
    let left = Infinity;
    for (let times = 0; left > most && times < COLLECTIONS; times++) {
      // oxlint-disable-next-line no-await-in-loop
      await sleep(times * 10);
      collect();
      left = Math.min(left, held() - this.#baseline);
    }
    return left;
  }

  #note(number: number, problem: string, input: string): void {
    const known = this.#findings.get(problem);
    if (known !== undefined) known.times++;
    else if (this.#findings.size < MOST_FINDINGS) this.#findings.set(problem, { number, problem, input, times: 1 });
  }
}

let { cases, seconds } = job;
for (const [index, name] of job.targets.entries()) {
  const target = TARGETS.find((one) => one.name === name);
  if (target === undefined) throw new Error(`no target ${name}`);
  // What one target leaves of its share is the others'.
  const share = job.targets.length - index;
  // oxlint-disable-next-line no-await-in-loop
  const result = await new Run(target).within(Math.ceil(cases / share), seconds / share);
  cases -= result.cases;
  seconds -= result.seconds;
  // A thread's port knows no origins.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  parentPort?.postMessage(result);
}
