/** A file of rules → its directives: one a line, which a backslash at its end continues. */
import { Mistake, RulesProblem } from './problem.ts';

export interface Directive {
  readonly file: string;
  /** Where it begins, from 1 on. */
  readonly line: number;
  readonly name: string;
  readonly args: readonly string[];
}

/** @throws RulesProblem */
export function parseDirectives(file: string, text: string): Directive[] {
  const directives: Directive[] = [];
  let pending = '';
  let from = 0;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    const begun = pending !== '';
    if (!begun && /^\s*(?:#|$)/.test(line)) continue;
    // A comment line between continued ones is a comment all the same.
    if (begun && /^\s*#/.test(line)) continue;
    if (!begun) from = index + 1;
    const part = begun ? line.trimStart() : line;
    if (part.endsWith('\\')) {
      pending += part.slice(0, -1);
      if (pending === '') pending = ' ';
      continue;
    }
    const whole = (pending + part).trim();
    pending = '';
    if (whole !== '') directives.push(directiveOf(file, from, whole));
  }
  if (pending.trim() !== '') throw new RulesProblem(file, from, 'the file ends within a directive');
  return directives;
}

function directiveOf(file: string, line: number, text: string): Directive {
  try {
    const [name = '', ...args] = wordsOf(text);
    return { file, line, name, args };
  } catch (error) {
    throw error instanceof Mistake ? new RulesProblem(file, line, error.message) : error;
  }
}

/** Words, in quotes or not; within quotes a backslash before the quote takes its meaning. */
function wordsOf(text: string): string[] {
  const words: string[] = [];
  let at = 0;
  while (at < text.length) {
    const first = text.charAt(at);
    if (first === ' ' || first === '\t') {
      at++;
      continue;
    }
    const quote = first === '"' || first === "'" ? first : '';
    let word = '';
    if (quote !== '') at++;
    for (; ; at++) {
      if (at >= text.length) {
        if (quote !== '') throw new Mistake(`a quote (${quote}) is not closed`);
        break;
      }
      const char = text.charAt(at);
      const escaped = text.charAt(at + 1);
      if (char === '\\' && quote !== '' && (escaped === quote || escaped === '\\')) {
        word += escaped;
        at++;
        continue;
      }
      if (quote === '' ? char === ' ' || char === '\t' : char === quote) break;
      word += char;
    }
    at++;
    words.push(word);
  }
  return words;
}
