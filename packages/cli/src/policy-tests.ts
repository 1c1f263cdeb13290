/** Files of tests of policies: found, run, and told. */
import { watch, type FSWatcher } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { judge, readPolicyTests, tryPolicy, type Miss, type PolicyTest, type Trial } from '@postern/policy/trial';
import { trialInWords } from './policy-explain.ts';
import { messageOf } from './problem.ts';
import { firstStopSignal } from './stop-signal.ts';

interface Tested {
  readonly name: string;
  readonly ok: boolean;
  readonly misses: readonly Miss[];
  /** What the policy asked for and the test does not give. */
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
  /** Of a test that failed. */
  readonly trial?: Trial;
}

interface TestedFile {
  readonly file: string;
  /** Why it could not be run; absent = it was. */
  readonly problem?: string;
  readonly tests: readonly Tested[];
}

export interface TestRun {
  readonly text: string;
  readonly code: 0 | 1 | 2;
  /** Files that it depends on. */
  readonly reads: readonly string[];
}

export async function runPolicyTests(files: readonly string[], json: boolean): Promise<TestRun> {
  const reads: string[] = [];
  const tested: TestedFile[] = [];
  for (const file of files) tested.push(await runFile(file, reads));
  const all = tested.flatMap(({ tests }) => tests);
  const passed = all.filter(({ ok }) => ok).length;
  const failed = all.length - passed;
  const broken = tested.some(({ problem }) => problem !== undefined);
  const text = json
    ? `${JSON.stringify({ files: tested, passed, failed }, null, 2)}\n`
    : `${tested.map(inWords).join('')}${passed} passed, ${failed} failed\n`;
  return { text, code: broken ? 2 : failed > 0 ? 1 : 0, reads };
}

async function runFile(file: string, reads: string[]): Promise<TestedFile> {
  reads.push(file);
  const tests: Tested[] = [];
  try {
    const { policy, tests: written } = readPolicyTests(await readFile(file, 'utf8'), Date.now());
    const source = await policyOf(policy, file, reads);
    for (const test of written) tests.push(await runOne(source, test));
    return { file, tests };
  } catch (error) {
    return { file, problem: messageOf(error), tests };
  }
}

/** A policy stands in the file itself, or is named by its path from there. */
async function policyOf(policy: unknown, file: string, reads: string[]): Promise<string | object> {
  if (typeof policy === 'object' && policy !== null) return policy;
  if (typeof policy !== 'string' || policy === '')
    throw new Error(`${file}: policy: a file's name or a policy is needed`);
  if (policy.includes('\n') || policy.startsWith('{')) return policy;
  const named = path.resolve(path.dirname(file), policy);
  reads.push(named);
  return readFile(named, 'utf8');
}

async function runOne(
  source: string | object,
  { name, path: at, given, expect, options }: PolicyTest,
): Promise<Tested> {
  const trial = await tryPolicy(source, options, given);
  const misses = judge(trial, expect);
  const { notes, warnings } = trial;
  const ok = misses.length === 0;
  return { name: name || at, ok, misses, notes, warnings, ...(ok ? {} : { trial }) };
}

function inWords({ file, problem, tests }: TestedFile): string {
  const lines = tests.flatMap(({ name, ok, misses, notes, trial }) => [
    `${ok ? 'ok  ' : 'FAIL'} ${file}: ${name}`,
    ...misses.map(({ what, expected, got }) => `       ${what}: expected ${shown(expected)}, got ${shown(got)}`),
    ...notes.map((note) => `       not known here: ${note}`),
    ...(trial === undefined
      ? []
      : trialInWords(trial)
          .trimEnd()
          .split('\n')
          .map((line) => `     | ${line}`)),
  ]);
  if (problem !== undefined) lines.push(`FAIL ${file}: ${problem}`);
  return lines.map((line) => `${line}\n`).join('');
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Editors write several times, and some put a new file in the place of the old one: folders are watched. */
const SETTLE_MS = 100;

/**
 * Runs, and again at each change of what the last run has read, until somebody stops it.
 * @param show told of each run when its files are watched: whoever sees it may change them at once
 */
export async function watchPolicyTests(run: () => Promise<TestRun>, show: (done: TestRun) => void): Promise<void> {
  const watchers = new Map<string, FSWatcher>();
  let files = new Set<string>();
  let timer: NodeJS.Timeout | null = null;
  let running = Promise.resolve();
  const again = async (): Promise<void> => {
    const done = await run();
    files = new Set(done.reads.map((file) => path.resolve(file)));
    for (const folder of new Set([...files].map((file) => path.dirname(file)))) {
      if (watchers.has(folder)) continue;
      const watcher = watch(folder, (_event, name) => {
        if (name === null || !files.has(path.join(folder, name))) return;
        if (timer !== null) clearTimeout(timer);
        timer = setTimeout(() => void (running = running.then(again)), SETTLE_MS);
      });
      watchers.set(folder, watcher);
    }
    show(done);
  };
  running = again();
  try {
    await running;
    await firstStopSignal();
  } finally {
    if (timer !== null) clearTimeout(timer);
    for (const watcher of watchers.values()) watcher.close();
    await running;
  }
}
