/**
 * The end of `npm test`, for people and for programs: every skipped test by name with its reason, then one plain line
 * `N passed, N failed, N skipped`, the very last of the output.
 */
import process from 'node:process';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** What `requireJudge` (test/support/judge.ts) writes. */
const REASON = /^skipped: ([^:]+): (.+)$/;

interface Missing {
  readonly judge: string;
  readonly reason: string;
}

export default class SummaryReporter implements Reporter {
  /** By the file that missed something. */
  readonly #missing = new Map<string, Missing[]>();

  onUserConsoleLog({ content, taskId }: { readonly content: string; readonly taskId?: string }): void {
    // Written while a file is read, when its own id is the task's; `<file>_<number>…` later.
    const file = (taskId ?? '').split('_')[0] ?? '';
    for (const line of content.split('\n')) {
      const [, judge, reason] = REASON.exec(line.trim()) ?? [];
      if (judge === undefined || reason === undefined) continue;
      this.#missing.set(file, [...(this.#missing.get(file) ?? []), { judge, reason }]);
    }
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    const lines: string[] = [];
    for (const module of modules) {
      count.failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const result = test.result();
        // A test that never ran, because its file or the run broke off, is not one that passed.
        const state = result.state === 'pending' ? 'skipped' : result.state;
        count[state] += 1;
        if (state === 'skipped')
          lines.push(`skipped: ${module.relativeModuleId} > ${test.fullName}: ${this.#reasonOf(test)}`);
      }
    }
    // After whatever other reporters still print.
    process.once('exit', () => {
      for (const line of lines) process.stdout.write(`${line}\n`);
      process.stdout.write(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`);
    });
  }

  #reasonOf(test: TestCase): string {
    const result = test.result();
    if (result.state === 'pending') return 'it did not run';
    if (result.state === 'skipped' && result.note !== undefined) return result.note;
    const missing = this.#missing.get(test.module.id.split('_')[0] ?? '') ?? [];
    const named = missing.filter(({ judge }) => test.fullName.includes(judge));
    const reasons = (named.length > 0 ? named : missing).map(({ judge, reason }) => `${judge}: ${reason}`);
    return reasons.length > 0 ? reasons.join('; ') : 'its name or its file says what it needs';
  }
}
