/** What `--runs` shows behind the last of several runs: each run, and every cell that was no success in one of them. */
import type { Cell, Report } from './report.ts';

export interface Run {
  readonly milliseconds: number;
  readonly cells: readonly Cell[];
}

const of = ({ client, duty }: Cell): string => `${client}: ${duty}`;
const count = ({ cells }: Run, outcome: Cell['outcome']): number =>
  cells.filter((cell) => cell.outcome === outcome).length;

/** The run as it ended. */
export function runOf(report: Report, started: number): Run {
  return { milliseconds: performance.now() - started, cells: report.cells };
}

/** A cell that failed in some run but not in all of them judges nothing: it is flaky. */
export function runsText(runs: readonly Run[]): string {
  const lines = ['| run | seconds | passed | failed | cells that failed |', '| --- | --- | --- | --- | --- |'];
  const failures = new Map<string, number>();
  const held = new Set<string>();
  for (const [at, run] of runs.entries()) {
    const failed = run.cells.filter(({ outcome }) => outcome === 'failed').map(of);
    for (const name of failed) failures.set(name, (failures.get(name) ?? 0) + 1);
    for (const cell of run.cells) if (cell.outcome === 'passed') held.add(of(cell));
    const seconds = (run.milliseconds / 1000).toFixed(0);
    lines.push(`| ${at + 1} | ${seconds} | ${count(run, 'passed')} | ${failed.length} | ${failed.join(', ') || '–'} |`);
  }
  const named = [...failures].map(
    ([name, times]) => `${held.has(name) ? 'flaky' : 'broken'}: ${name} (failed in ${times} of ${runs.length} runs)`,
  );
  const flaky = [...failures.keys()].filter((name) => held.has(name)).length;
  return [...lines, ...named, `${runs.length} runs, ${held.size} cells held, ${flaky} flaky`].join('\n');
}
