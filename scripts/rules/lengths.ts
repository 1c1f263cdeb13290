/** A file tells one story. */
import { isCode, type Sources } from './sources.ts';

const MOST_LINES = 400;

export function lengthProblems(sources: Sources): readonly string[] {
  const problems: string[] = [];
  for (const [file, text] of sources) {
    if (!isCode(file)) continue;
    const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
    if (lines > MOST_LINES) problems.push(`${file}: ${lines} lines; a file has at most ${MOST_LINES}`);
  }
  return problems;
}
