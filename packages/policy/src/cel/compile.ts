/**
 * Text of an expression → something that evaluates. The library parses; our own checker and compiler do the rest
 * (build.ts), so that a policy's mistakes are found when it is written and its expressions cost little when it runs.
 */
import { parse } from '@bufbuild/cel';
import type { CompileContext } from './context.ts';
import { buildExpression } from './build.ts';
import type { Compiled } from './compiled.ts';
import { CelProblem } from './failures.ts';
import { alwaysMayBe, shapeName } from './shapes.ts';

export type { Compiled } from './compiled.ts';
export type { CompileContext } from './context.ts';

/** Characters. */
const MAX_EXPRESSION = 16_384;
const MAX_NESTING = 100;

/** A condition: must be able to be true or false. @throws CelProblem */
export function compileCondition(text: string, context: CompileContext): Compiled {
  const compiled = compileExpression(text, context);
  if (!alwaysMayBe(compiled, 'bool')) {
    throw new CelProblem(`it gives ${shapeName(compiled)}, where true or false is needed`);
  }
  return compiled;
}

/** Any value. @throws CelProblem */
export function compileExpression(text: string, context: CompileContext): Compiled {
  if (text.trim() === '') throw new CelProblem('it is empty');
  if (text.length > MAX_EXPRESSION) throw new CelProblem(`it has more than ${MAX_EXPRESSION} characters`);
  refuseDeepNesting(text);
  try {
    return buildExpression(parse(text), context);
  } catch (error) {
    if (error instanceof CelProblem) throw placed(error);
    throw new CelProblem(parseProblem(text, error));
  }
}

/** The same problem with its place in its words. */
function placed(problem: CelProblem): CelProblem {
  if (problem.at === null) return problem;
  return new CelProblem(`${problem.message} (at character ${problem.at + 1})`, problem.unavailable);
}

/** The parser recurses: openers are counted first. Those inside strings count too; nobody nests a hundred. */
function refuseDeepNesting(text: string): void {
  let depth = 0;
  let run = 0;
  for (const c of text) {
    if (c === '(' || c === '[' || c === '{') depth++;
    else if ((c === ')' || c === ']' || c === '}') && depth > 0) depth--;
    run = c === '!' || c === '-' || c === '?' ? run + 1 : c === ' ' ? run : 0;
    if (depth > MAX_NESTING || run > MAX_NESTING) throw new CelProblem(`it is nested more than ${MAX_NESTING} deep`);
  }
}

/** The parser's own words blame the first token it could not use; the usual causes are said plainly. */
function parseProblem(text: string, error: unknown): string {
  if (text.includes('${')) return 'an expression is plain CEL, without ${…} around it';
  const unbalanced = firstUnbalanced(text);
  if (unbalanced !== null) return unbalanced;
  const at = positionOf(error);
  if (at === null) return 'it cannot be parsed';
  const near = text.slice(at, at + 20);
  return near === '' ? 'it ends too early' : `it cannot be parsed at character ${at + 1}, near "${near}"`;
}

function positionOf(error: unknown): number | null {
  const start = field(field(field(error, 'location'), 'start'), 'offset');
  return typeof start === 'number' ? start : null;
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

const CLOSERS: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

function firstUnbalanced(text: string): string | null {
  const open: { closer: string; at: number }[] = [];
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? '';
    if (c === "'" || c === '"') {
      const raw = /[rR]/.test(text[i - 1] ?? '');
      let end = i + 1;
      while (end < text.length && text[end] !== c) end += text[end] === '\\' && !raw ? 2 : 1;
      if (end >= text.length) return `the text that begins at character ${i + 1} is not closed`;
      i = end;
      continue;
    }
    const closer = CLOSERS[c];
    if (closer !== undefined) open.push({ closer, at: i });
    else if (c === ')' || c === ']' || c === '}') {
      if (open.pop()?.closer !== c) return `the "${c}" at character ${i + 1} closes nothing`;
    }
  }
  const last = open.at(-1);
  return last === undefined ? null : `the "${text[last.at] ?? ''}" at character ${last.at + 1} is not closed`;
}
