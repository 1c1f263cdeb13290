/** Comprehensions: what all, exists, exists_one, filter and map expand to. Bounded in nesting and in steps. */
import { celList, isCelList, isCelMap, type CelInput } from '@bufbuild/cel';
import type { Expr, Expr_Comprehension } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import type { Builder, Compiled } from './compiled.ts';
import { CelProblem } from './failures.ts';
import { LIST_TOO_LONG, MAX_LIST, TOO_MANY_STEPS } from './limits.ts';
import type { Eval } from './scope.ts';
import { spend, STEP } from './work.ts';
import { DYN, shapeOf, type Shape } from './shapes.ts';
import { Failure, type Result, type Value } from './value.ts';

const MAX_NESTING = 3;
const NOT_A_RANGE = new Failure('only lists and maps can be gone through');

export function buildFold(node: Expr_Comprehension, b: Builder): Compiled {
  const { iterRange, accuInit, loopCondition, loopStep, result } = node;
  if (!iterRange || !accuInit || !loopCondition || !loopStep || !result) throw new CelProblem('it is incomplete');
  if (node.iterVar2 !== '') throw new CelProblem('macros with two variables are not part of the language');
  checkNesting(b);
  const range = b.build(iterRange);
  if (range.type !== 'dyn' && range.type !== 'list' && range.type !== 'map') {
    throw new CelProblem(`all, exists, filter and map go through lists and maps, not ${range.type}`);
  }
  const item = b.slot();
  const accumulator = b.slot();
  const withItem = new Map(b.locals).set(node.iterVar, { slot: item, shape: itemShape(range) });
  const inside = new Map(withItem).set(node.accuVar, { slot: accumulator, shape: DYN });
  const before = b.nodes();
  const append = appended(loopStep, node.accuVar);
  if (append !== null) {
    const test = append.test === null ? null : b.build(append.test, withItem, b.folds + 1).eval;
    const element = b.build(append.element, withItem, b.folds + 1);
    return {
      type: 'list',
      item: shapeOf(element),
      eval: collect(range.eval, item, test, element.eval, STEP + b.nodes() - before),
    };
  }
  const parts = [loopCondition, loopStep, result].map((part) => b.build(part, inside, b.folds + 1));
  const [condition, step, final] = parts;
  if (condition === undefined || step === undefined || final === undefined) throw new CelProblem('it is incomplete');
  const type = final.type === 'dyn' ? b.build(accuInit).type : final.type;
  return {
    type,
    eval: loop(
      range.eval,
      item,
      accumulator,
      b.build(accuInit).eval,
      condition.eval,
      step.eval,
      final.eval,
      STEP + b.nodes() - before,
    ),
  };
}

/** What the variable of a comprehension is: an item of a list, a key of a map. */
export function itemShape(range: Shape): Shape {
  if (range.type === 'list') return range.item ?? DYN;
  return range.type === 'map' ? (range.key ?? DYN) : DYN;
}

export function checkNesting(b: Builder): void {
  if (b.folds >= MAX_NESTING) throw new CelProblem(`macros are nested more than ${MAX_NESTING} deep`);
}

/** The values that a comprehension goes through: items of a list, keys of a map. */
export function itemsOf(value: Value): Iterable<Value> | Failure {
  if (isCelList(value)) return value;
  return isCelMap(value) ? value.keys() : NOT_A_RANGE;
}

function loop(
  range: Eval,
  item: number,
  accumulator: number,
  init: Eval,
  go: Eval,
  step: Eval,
  final: Eval,
  price: number,
): Eval {
  return (scope) => {
    const over = range(scope);
    if (over instanceof Failure) return over;
    const items = itemsOf(over);
    if (items instanceof Failure) return items;
    scope.locals[accumulator] = init(scope);
    for (const value of items) {
      if (!spend(scope, price)) return TOO_MANY_STEPS;
      scope.locals[item] = value;
      if (go(scope) !== true) break;
      scope.locals[accumulator] = step(scope);
    }
    return final(scope);
  };
}

/** map and filter, without copying the list at every step. */
function collect(range: Eval, item: number, test: Eval | null, element: Eval, price: number): Eval {
  return (scope): Result => {
    const over = range(scope);
    if (over instanceof Failure) return over;
    const items = itemsOf(over);
    if (items instanceof Failure) return items;
    const kept: CelInput[] = [];
    for (const value of items) {
      if (!spend(scope, price)) return TOO_MANY_STEPS;
      scope.locals[item] = value;
      if (test !== null) {
        const keep = test(scope);
        if (keep instanceof Failure) return keep;
        if (keep === false) continue;
        if (keep !== true) return NOT_A_BOOL;
      }
      const one = element(scope);
      if (one instanceof Failure) return one;
      if (kept.push(one) > MAX_LIST) return LIST_TOO_LONG;
    }
    return celList(kept);
  };
}

const NOT_A_BOOL = new Failure('the condition of a macro is not true or false');

/** Recognises `accu + [element]` and `test ? accu + [element] : accu`. */
function appended(step: Expr, accu: string): { test: Expr | null; element: Expr } | null {
  if (step.exprKind.case !== 'callExpr') return null;
  const { function: name, args } = step.exprKind.value;
  if (name === '_?_:_') {
    const [test, then, otherwise] = args;
    if (!test || !then || !otherwise || !isName(otherwise, accu)) return null;
    const inner = appended(then, accu);
    return inner === null || inner.test !== null ? null : { test, element: inner.element };
  }
  const [left, right] = args;
  if (name !== '_+_' || !left || !right || !isName(left, accu) || right.exprKind.case !== 'listExpr') return null;
  const [element, ...more] = right.exprKind.value.elements;
  return element === undefined || more.length > 0 ? null : { test: null, element };
}

function isName(expr: Expr, name: string): boolean {
  return expr.exprKind.case === 'identExpr' && expr.exprKind.value.name === name;
}
