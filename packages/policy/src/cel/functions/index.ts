/** The function table, and how a call finds its row: by name, then number, then kinds of the arguments. */
import { isCelList } from '@bufbuild/cel';
import type { Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import type { Builder, Compiled } from '../compiled.ts';
import { CelProblem, notYet, typeNames } from '../failures.ts';
import { libraryFunctions } from '../library.ts';
import { LIST_TOO_LONG, MAX_LIST, MAX_TEXT, TEXT_TOO_LONG, TOO_MANY_STEPS } from '../limits.ts';
import type { Eval } from '../scope.ts';
import { Failure, isA, mayBe, type Value } from '../value.ts';
import { priceOf, sizeOf, spend } from '../work.ts';
import { meant } from '../../schema/nearest.ts';
import { CONVERSION_FUNCTIONS } from './conversions.ts';
import { CORE_FUNCTIONS } from './core.ts';
import { precompiledMatches } from './regex.ts';
import type { FunctionDef } from './definition.ts';
import { ENCODING_FUNCTIONS } from './encoding.ts';
import { HASH_FUNCTIONS } from './hash.ts';
import { IP_FUNCTIONS } from './ip.ts';
import { LIST_FUNCTIONS } from './lists.ts';
import { RANDOM_FUNCTIONS } from './random.ts';
import { REQUEST_FUNCTIONS } from './request.ts';
import { SECRET_FUNCTIONS } from './secrets.ts';
import { STRING_FUNCTIONS } from './strings.ts';

const LIBRARY_FUNCTIONS: readonly FunctionDef[] = libraryFunctions().map(({ operation, ...row }) => {
  const run = operation();
  return { ...row, byLibrary: true, apply: (_scope, ...args) => run(...args) };
});

const OUR_FUNCTIONS: readonly FunctionDef[] = [
  ...CORE_FUNCTIONS,
  ...STRING_FUNCTIONS,
  ...CONVERSION_FUNCTIONS,
  ...REQUEST_FUNCTIONS,
  ...ENCODING_FUNCTIONS,
  ...HASH_FUNCTIONS,
  ...RANDOM_FUNCTIONS,
  ...IP_FUNCTIONS,
  ...LIST_FUNCTIONS,
  ...SECRET_FUNCTIONS,
];

const signature = ({ style, name, args }: FunctionDef): string => `${style} ${name}(${args.join()})`;
const OURS = new Set(OUR_FUNCTIONS.map(signature));

/** Where the library has the same signature, ours is used. */
export const FUNCTIONS: readonly FunctionDef[] = [
  ...OUR_FUNCTIONS,
  ...LIBRARY_FUNCTIONS.filter((row) => !OURS.has(signature(row))),
].map(bounded);

/** A call is paid for before it runs, and what it makes may not grow without end, whatever it is made of. */
function bounded(row: FunctionDef): FunctionDef {
  const { apply } = row;
  const { base, each } = priceOf(row.name, row.args, row.byLibrary === true);
  return {
    ...row,
    apply(scope, ...args) {
      let price = base;
      for (const arg of args) price += sizeOf(arg) * each;
      if (!spend(scope, price)) return TOO_MANY_STEPS;
      const result = apply(scope, ...args);
      if (typeof result === 'string') {
        if (result.length > MAX_TEXT) return TEXT_TOO_LONG;
        if (result.length > 64) spend(scope, result.length / 16);
      } else if (isCelList(result) && result.size > MAX_LIST) return LIST_TOO_LONG;
      return result;
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

/** A name of the same style that is near, or the same name in the other style. */
function functionMeant(name: string, style: 'method' | 'global'): string {
  const keys = [...BY_NAME.keys()];
  const other = style === 'method' ? 'global' : 'method';
  if (BY_NAME.has(`${other} ${name}`)) {
    return style === 'method' ? `; write ${name}(…)` : `; it belongs to a value, as in x.${name}(…)`;
  }
  const known = keys.filter((key) => key.startsWith(`${style} `)).map((key) => key.slice(style.length + 1));
  return meant(name, known, '()');
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
    throw new CelProblem(`there is no function ${name}()${functionMeant(name, style)}`);
  }
  const sized = rows.filter((row) => row.args.length === args.length);
  const [first] = sized;
  if (first === undefined) {
    const own = style === 'method' ? 1 : 0;
    const counts = [...new Set(rows.map((row) => row.args.length - own))].toSorted((a, z) => a - z).join(' or ');
    throw new CelProblem(`${name}() does not take ${args.length - own} arguments, but ${counts}`);
  }
  if (first.unavailable === true) throw notYet(`the function ${name}()`);
  if (first.phases !== undefined && !first.phases.includes(b.phase)) {
    throw new CelProblem(`${name}() cannot be used in ${b.phase}`);
  }
  const operands = args.map((arg) => b.build(arg));
  const fitting = sized.filter((row) => row.args.every((type, i) => mayBe(operands[i]?.type ?? 'dyn', type)));
  const [only] = fitting;
  if (only === undefined) {
    const given = typeNames(operands.map((operand) => operand.type));
    const takes = [...new Set(sized.map((row) => `(${typeNames(row.args)})`))].slice(0, 4).join(' or ');
    throw new CelProblem(`${name}() does not apply to (${given}), but to ${takes}`);
  }
  const regex = name === 'matches' ? precompiledMatches(operands, b) : null;
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
