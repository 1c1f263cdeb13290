/** What came of each client and duty, as lines while it runs and as counts at the end. */

export type Outcome = 'passed' | 'failed' | 'cannot' | 'skipped' | 'refused';

export interface Cell {
  readonly client: string;
  readonly duty: string;
  readonly outcome: Outcome;
  /** Why it failed, was skipped, or cannot be asked; what is to be shown of a success. */
  readonly why: string;
}

/** Characters of a reason. */
const MOST_TEXT = 8_000;

const MARKS: Readonly<Record<Outcome, string>> = {
  passed: 'ok  ',
  failed: 'FAIL',
  cannot: '-   ',
  skipped: 'skip',
  refused: 'none',
};

export class Report {
  readonly cells: Cell[] = [];

  add(cell: Cell, milliseconds = 0): void {
    this.cells.push(cell);
    if (cell.outcome === 'cannot') return;
    const time = milliseconds === 0 ? '' : ` (${(milliseconds / 1000).toFixed(1)} s)`;
    const why = cell.why === '' ? '' : `: ${cell.why.replaceAll('\n', '\n      ')}`;
    process.stdout.write(`${MARKS[cell.outcome]} ${cell.client}: ${cell.duty}${time}${why}\n`);
  }

  /** Runs one duty; what it throws is why it failed, and text that it answers is shown behind its success. */
  async run(client: string, duty: string, work: () => Promise<unknown>): Promise<boolean> {
    const started = performance.now();
    try {
      const shown = await work();
      const why = typeof shown === 'string' ? shown : '';
      this.add({ client, duty, outcome: 'passed', why }, performance.now() - started);
      return true;
    } catch (error) {
      const why = reasonOf(error);
      this.add({ client, duty, outcome: 'failed', why }, performance.now() - started);
      return false;
    }
  }

  count(outcome: Outcome): number {
    return this.cells.filter((cell) => cell.outcome === outcome).length;
  }
}

/** What was thrown, and where in the suite. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [place = ''] = /test\/clients\/(?:agents|api|terraform|grpc|pages)\/[^\s)]+/.exec(error.stack ?? '') ?? [];
  return [shortened(error.message), place].filter((text) => text !== '').join('\n');
}

/** Its beginning, which says what it was, and its end, which says why. */
function shortened(text: string): string {
  if (text.length <= MOST_TEXT) return text;
  return `${text.slice(0, MOST_TEXT / 4)}\n[…]\n${text.slice((-MOST_TEXT * 3) / 4)}`;
}
