/** A config string with `${…}` in it, compiled (traffic-policy.md §5). */
import { isCelList, isCelMap } from '@bufbuild/cel';
import { compileExpression, type CompileContext } from '../cel/compile.ts';
import { encodeJson } from '../cel/functions/json.ts';
import { libraryOperation } from '../cel/library.ts';
import { MAX_TEXT, TEXT_TOO_LONG, TOO_MANY_STEPS } from '../cel/limits.ts';
import { LIBRARY_CALL, spend } from '../cel/work.ts';
import type { Eval, Scope } from '../cel/scope.ts';
import { Failure, type Result, type Value } from '../cel/value.ts';
import { scanTemplate } from './scan.ts';

export interface Template {
  /** The text, when nothing in it depends on the request. */
  readonly text: string | null;
  /** The whole string as text. Holes whose value is missing are empty. */
  render(scope: Scope): string | Failure;
  /** The same, but a string that is exactly one expression keeps its value's kind. */
  value(scope: Scope): Result;
  /** The same as render, except that a missing value fails: for credentials and the like. */
  require(scope: Scope): string | Failure;
}

/** @throws CelProblem, TemplateProblem */
export function compileTemplate(source: string, context: CompileContext): Template {
  const parts = scanTemplate(source).map((part) =>
    typeof part === 'string'
      ? part
      : toldOf(part.expression, compileExpression(part.expression, context).eval, context),
  );
  if (parts.every((part) => typeof part === 'string')) {
    const text = parts.join('');
    const same = (): string => text;
    return { text, render: same, value: same, require: same };
  }
  const [first] = parts;
  const single: Eval | null = parts.length === 1 && typeof first === 'function' ? first : null;
  const render = (scope: Scope): string | Failure => fill(parts, scope, false);
  return { text: null, render, value: single ?? render, require: (scope) => fill(parts, scope, true) };
}

function toldOf(text: string, evaluate: Eval, { told }: CompileContext): Eval {
  if (told === undefined) return evaluate;
  return (scope) => {
    const value = evaluate(scope);
    told(text, value);
    return value;
  };
}

function fill(parts: readonly (string | Eval)[], scope: Scope, strict: boolean): string | Failure {
  let text = '';
  for (const part of parts) {
    if (typeof part === 'string') {
      text += part;
      continue;
    }
    const value = part(scope);
    if (scope.budget < 0) return TOO_MANY_STEPS;
    if (value instanceof Failure) {
      if (strict || !value.absent) return value;
      continue;
    }
    if (strict && value === null) return MISSING;
    const shown = textOf(value, scope);
    if (shown instanceof Failure) return shown;
    text += shown;
    if (text.length > MAX_TEXT) return TEXT_TOO_LONG;
    if (!spend(scope, 1 + shown.length / 16)) return TOO_MANY_STEPS;
  }
  return text;
}

const MISSING = new Failure('a value is missing', true);

/** §5: text as it is, null as nothing, lists and maps as JSON, bytes as UTF-8, the rest as CEL's string(). */
export function textOf(value: Value, scope: Scope): string | Failure {
  if (typeof value === 'string') return value;
  if (value === null) return '';
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (isCelList(value) || isCelMap(value)) return encodeJson(value, scope);
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (!spend(scope, LIBRARY_CALL)) return TOO_MANY_STEPS;
  const text = libraryOperation('string(a)')(value);
  if (typeof text === 'string') return text;
  return text instanceof Failure ? text : new Failure('the value has no text');
}
