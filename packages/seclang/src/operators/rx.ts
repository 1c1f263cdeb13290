/** `@rx`: searches for a pattern, which may be made of what the rules have written down. */
import { fixedText, type Macro, parseMacro } from '../syntax/macro.ts';
import { NotRun } from '../syntax/problem.ts';
import { MATCHED, type Operator, type OperatorScope } from './operator.ts';
import { compilePattern, MOST_PRODUCT, type Pattern } from './pattern.ts';

/** Up to here a search costs some nanoseconds a character. */
const SMALL_PRODUCT = 50_000;
/** Of a pattern that is made of variables: characters, and how many are kept. */
const LONGEST = 1_024;
const MOST_KEPT = 8;

/** @throws NotRun */
export function rx(argument: string): Operator {
  const macro = parseMacro(argument);
  if (fixedText(macro) === null) return rxOf(macro);
  const pattern = compilePattern(argument);
  return (value, scope) => search(pattern, value, scope);
}

function search(pattern: Pattern, value: string, scope: OperatorScope): readonly string[] | null {
  const product = value.length * pattern.size;
  if (product > MOST_PRODUCT) scope.spend(Infinity);
  let found: boolean;
  if (product > SMALL_PRODUCT) found = scope.measure(() => pattern.test(value));
  else {
    scope.spend(20 + value.length);
    found = pattern.test(value);
  }
  if (!found) return null;
  return scope.captures ? scope.measure(() => pattern.groups(value)) : MATCHED;
}

/** What comes of it mostly depends on the operator's settings alone, and is compiled once. */
function rxOf(macro: Macro): Operator {
  const kept = new Map<string, Pattern | null>();
  return (value, scope) => {
    const source = scope.expand(macro);
    let pattern = kept.get(source);
    if (pattern === undefined) {
      pattern = scope.measure(() => (source.length > LONGEST ? null : patternOf(source)));
      if (kept.size >= MOST_KEPT) kept.clear();
      kept.set(source, pattern);
    }
    return pattern === null ? null : search(pattern, value, scope);
  };
}

function patternOf(source: string): Pattern | null {
  try {
    return compilePattern(source);
  } catch (error) {
    if (error instanceof NotRun) return null;
    throw error;
  }
}
