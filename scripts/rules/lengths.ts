/** A file tells one story. */
import { isCode, type Sources } from './sources.ts';

const MOST_LINES = 400;

/** Longer ones that are known, with how long they are: they may only become shorter. */
const KNOWN: Readonly<Record<string, number>> = {
  'packages/edge/src/http/server/http1-connection.ts': 440,
};

export function lengthProblems(sources: Sources): readonly string[] {
  const problems: string[] = [];
  for (const [file, text] of sources) {
    if (!isCode(file)) continue;
    const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
    const most = KNOWN[file] ?? MOST_LINES;
    if (lines > most) problems.push(`${file}: ${lines} lines; a file has at most ${most}`);
  }
  return problems;
}
