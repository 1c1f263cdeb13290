/** The function table, and how a call finds its row: by name, then number, then kinds of the arguments. */
import type { Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import type { Builder, Compiled } from '../compiled.ts';
import { CelProblem, notYet, typeNames } from '../failures.ts';
import { libraryFunctions } from '../library.ts';
import { MAX_TEXT, TEXT_TOO_LONG } from '../limits.ts';
import type { Eval } from '../scope.ts';
import { STRINGS } from '../shapes.ts';
import { Failure, isA, mayBe, type Value } from '../value.ts';
import { CORE_FUNCTIONS, precompiledMatches } from './core.ts';
import type { FunctionDef } from './definition.ts';
import { ENCODING_FUNCTIONS } from './encoding.ts';
import { HASH_FUNCTIONS } from './hash.ts';
import { IP_FUNCTIONS } from './ip.ts';
import { LIST_FUNCTIONS } from './lists.ts';
import { RANDOM_FUNCTIONS } from './random.ts';
import { REQUEST_FUNCTIONS } from './request.ts';

const LIBRARY_FUNCTIONS: FunctionDef[] = libraryFunctions().map((row) => {
  const operation = row.operation();
  return {
    name: row.name,
    style: row.style,
    args: row.args,
    result: row.result,
    ...(row.name === 'split' ? { shape: () => STRINGS } : {}),
    apply: (_scope, ...args) => operation(...args),
  };
});

/** Ours first: where the library has the same signature, ours is used. */
export const FUNCTIONS: readonly FunctionDef[] = [
  ...CORE_FUNCTIONS,
  ...REQUEST_FUNCTIONS,
  ...ENCODING_FUNCTIONS,
  ...HASH_FUNCTIONS,
  ...RANDOM_FUNCTIONS,
  ...IP_FUNCTIONS,
  ...LIST_FUNCTIONS,
  ...LIBRARY_FUNCTIONS,
].map(bounded);

/** Text that a function makes may not grow without end, whatever it is made of. */
function bounded(row: FunctionDef): FunctionDef {
  if (row.result !== 'string') return row;
  const { apply } = row;
  return {
    ...row,
    apply(scope, ...args) {
      const result = apply(scope, ...args);
      return typeof result === 'string' && result.length > MAX_TEXT ? TEXT_TOO_LONG : result;
    },
  };
}

const BY_NAME = new Map<string, FunctionDef[]>();
for (const row of FUNCTIONS) {
  const key = `${row.style} ${row.name}`;
  const rows = BY_NAME.get(key);
  if (rows === undefined) BY_NAME.set(key, [row]);
  else rows.push(row);
}

export function buildFunction(name: string, style: 'method' | 'global', args: readonly Expr[], b: Builder): Compiled;
/** @returns null when there is no function of that dotted name (then it is a method of a variable). */
export function buildFunction(name: string, style: 'namespaced', args: readonly Expr[], b: Builder): Compiled | null;
export function buildFunction(
  name: string,
  style: 'method' | 'global' | 'namespaced',
  args: readonly Expr[],
  b: Builder,
): Compiled | null {
  const rows = BY_NAME.get(`${style === 'method' ? 'method' : 'global'} ${name}`);
  if (rows === undefined) {
    if (style === 'namespaced') return null;
    throw new CelProblem(`there is no function ${name}()`);
  }
  const sized = rows.filter((row) => row.args.length === args.length);
  const [first] = sized;
  if (first === undefined) {
    throw new CelProblem(`${name}() does not take ${style === 'method' ? args.length - 1 : args.length} arguments`);
  }
  if (first.unavailable === true) throw notYet(`the function ${name}()`);
  if (first.phases !== undefined && !first.phases.includes(b.phase)) {
    throw new CelProblem(`${name}() cannot be used in ${b.phase}`);
  }
  const operands = args.map((arg) => b.build(arg));
  const fitting = sized.filter((row) => row.args.every((type, i) => mayBe(operands[i]?.type ?? 'dyn', type)));
  const [only] = fitting;
  if (only === undefined) {
    throw new CelProblem(`${name}() does not apply to (${typeNames(operands.map((operand) => operand.type))})`);
  }
  const regex = name === 'matches' ? precompiledMatches(operands) : null;
  if (regex !== null) return regex;
  const result = fitting.every((row) => row.result === only.result) ? only.result : 'dyn';
  const certain = only.args.every((type, i) => type === 'dyn' || operands[i]?.type === type);
  return {
    ...(fitting.length === 1 && only.shape !== undefined ? only.shape(operands) : { type: result }),
    eval: certain ? applyKnown(only, operands) : applyFitting(name, fitting, operands),
  };
}

/** The kinds are certain: no checks at run time. */
function applyKnown(row: FunctionDef, operands: readonly Compiled[]): Eval {
  const { apply } = row;
  const [a, b] = operands.map((operand) => operand.eval);
  if (a === undefined) return (scope) => apply(scope);
  if (b === undefined) {
    return (scope) => {
      const x = a(scope);
      return x instanceof Failure ? x : apply(scope, x);
    };
  }
  if (operands.length === 2) {
    return (scope) => {
      const x = a(scope);
      if (x instanceof Failure) return x;
      const y = b(scope);
      return y instanceof Failure ? y : apply(scope, x, y);
    };
  }
  return (scope) => {
    const values = evaluateAll(operands, scope);
    return values instanceof Failure ? values : apply(scope, ...values);
  };
}

function applyFitting(name: string, rows: readonly FunctionDef[], operands: readonly Compiled[]): Eval {
  const problem = new Failure(`${name}() does not apply to values of these types`);
  return (scope) => {
    const values = evaluateAll(operands, scope);
    if (values instanceof Failure) return values;
    for (const row of rows) {
      if (row.args.every((type, i) => isA(values[i] ?? null, type))) return row.apply(scope, ...values);
    }
    return problem;
  };
}

function evaluateAll(operands: readonly Compiled[], scope: Parameters<Eval>[0]): Value[] | Failure {
  const values: Value[] = [];
  for (const operand of operands) {
    const value = operand.eval(scope);
    if (value instanceof Failure) return value;
    values.push(value);
  }
  return values;
}
