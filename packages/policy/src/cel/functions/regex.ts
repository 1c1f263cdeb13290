/**
 * Regular expressions of policies: RE2, whose time grows with text times program, never faster. The program is bounded
 * when a pattern is compiled, the product when it runs; what it then really took is taken from the budget.
 */
import { RE2JS } from 're2js';
import type { Builder, Compiled } from '../compiled.ts';
import { CelProblem } from '../failures.ts';
import { TOO_MUCH_TO_MATCH } from '../limits.ts';
import type { Scope } from '../scope.ts';
import { Failure, type Result } from '../value.ts';
import { measured } from '../work.ts';

/** Characters of a pattern. */
const MAX_PATTERN = 1024;
/** Instructions of what a pattern compiles to. */
const MAX_PROGRAM = 2_500;
/** Characters of a text times instructions of a program: some 20 ms at the very worst. */
const MAX_PRODUCT = 500_000;
/** Up to here the worst case is told in advance, and cheaper than asking the clock. */
const SMALL_PRODUCT = 2_000;
const MAX_CACHED = 256;

function compileRegex(pattern: string): RE2JS | Failure {
  try {
    const regex = RE2JS.compile(pattern);
    return regex.programSize() > MAX_PROGRAM ? TOO_LARGE : regex;
  } catch (error) {
    return new Failure(
      `a regular expression does not compile: ${error instanceof Error ? error.message : 'bad syntax'}`,
    );
  }
}

const TOO_LONG = new Failure(`a regular expression has more than ${MAX_PATTERN} characters`);
const NO_PATTERN = new Failure('a text is no regular expression, or too large a one');
export const TOO_LARGE_TOGETHER = 'the regular expressions of the policy are too large together';
const TOO_LARGE = new Failure('a regular expression is too large when its repetitions are written out');

/** Compiled patterns, newest last: what many rules and policies write is compiled (and learned by the engine) once. */
const cache = new Map<string, RE2JS | Failure>();

function cached(pattern: string, compile: () => RE2JS | Failure): RE2JS | Failure {
  const known = cache.get(pattern);
  if (known !== undefined) return known;
  const regex = compile();
  if (cache.size >= MAX_CACHED) {
    const [oldest] = cache.keys();
    if (oldest !== undefined) cache.delete(oldest);
  }
  cache.set(pattern, regex);
  return regex;
}

/** A pattern that is known when the policy is written. */
export function literalRegex(pattern: string): RE2JS | Failure {
  return pattern.length > MAX_PATTERN ? TOO_LONG : cached(pattern, () => compileRegex(pattern));
}

/** A pattern that may be of the request: the engine's words quote it, and are not for a log. */
export function regexOfRequest(pattern: string, scope: Scope): RE2JS | Failure {
  if (pattern.length > MAX_PATTERN) return TOO_LONG;
  const regex = cached(pattern, () => measured(scope, () => compileRegex(pattern)));
  return regex instanceof Failure ? NO_PATTERN : regex;
}

/** Whether a search for matches and their groups, which takes two passes, may begin. */
export function maySearch(regex: RE2JS, text: string): boolean {
  return text.length * regex.programSize() <= MAX_PRODUCT / 2;
}

export function matches(text: string, pattern: string, scope: Scope): Result {
  const regex = regexOfRequest(pattern, scope);
  return regex instanceof Failure ? regex : run(regex, text, scope);
}

/** A literal pattern is compiled with the policy. @returns null when the pattern is not a literal. */
export function precompiledMatches(operands: readonly Compiled[], b: Builder): Compiled | null {
  const [text, pattern] = operands;
  const source = pattern?.constant?.value;
  if (text === undefined || typeof source !== 'string') return null;
  const regex = literalRegex(source);
  if (regex instanceof Failure) throw new CelProblem(regex.message);
  if (!b.program(regex.programSize())) throw new CelProblem(TOO_LARGE_TOGETHER);
  const get = text.eval;
  const wanted = new Failure('matches() needs text');
  return {
    type: 'bool',
    eval(scope) {
      const value = get(scope);
      if (typeof value === 'string') return run(regex, value, scope);
      return value instanceof Failure ? value : wanted;
    },
  };
}

function run(regex: RE2JS, text: string, scope: Scope): Result {
  const product = text.length * regex.programSize();
  if (product > MAX_PRODUCT || scope.budget < 0) return TOO_MUCH_TO_MATCH;
  if (product > SMALL_PRODUCT) return measured(scope, () => regex.test(text));
  scope.budget -= 20 + product / 8;
  return regex.test(text);
}
