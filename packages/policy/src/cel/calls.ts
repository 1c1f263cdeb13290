/** Operators, macros that are calls, and functions. */
import { isCelList } from '@bufbuild/cel';
import type { Expr, Expr_Call } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import type { Builder, Compiled } from './compiled.ts';
import { CelProblem } from './failures.ts';
import { checkNesting } from './fold.ts';
import { buildFunction } from './functions/index.ts';
import { sortByKey } from './functions/lists.ts';
import { buildOperator, buildPresenceOfKey } from './operators.ts';
import { pathOfExpr } from './names.ts';
import { TOO_MANY_STEPS } from './limits.ts';
import { NO_OVERLOAD } from './operations.ts';
import { spend, STEP } from './work.ts';
import { DYN, shapeOf } from './shapes.ts';
import { Failure, type Value } from './value.ts';

export function buildCall(call: Expr_Call, b: Builder): Compiled {
  const name = call.function;
  if (call.target === undefined) {
    const operator = buildOperator(name, call.args, b);
    if (operator !== null) return operator;
    // The parser expands has(a.b); documentation also writes has(a['b']).
    if (name === 'has') return buildPresenceOfKey(call.args, b);
    return buildFunction(name, 'global', call.args, b);
  }
  const path = pathOfExpr(call.target, b.locals);
  if (path?.length === 1 && path[0] === 'cel' && name === 'bind') return buildBind(call.args, b);
  if (name === 'sortBy' && call.args.length === 2) return buildSortBy(call.target, call.args, b);
  if (path !== null) {
    const qualified = buildFunction(`${path.join('.')}.${name}`, 'namespaced', call.args, b);
    if (qualified !== null) return qualified;
  }
  return buildFunction(name, 'method', [call.target, ...call.args], b);
}

/** cel.bind(name, value, expression) */
function buildBind(args: readonly Expr[], b: Builder): Compiled {
  const [name, value, body] = args;
  if (name?.exprKind.case !== 'identExpr' || value === undefined || body === undefined) {
    throw new CelProblem('cel.bind needs a name, a value and an expression');
  }
  const slot = b.slot();
  const known = b.build(value);
  const bound = known.eval;
  const local = { slot, shape: shapeOf(known) };
  const inner = b.build(body, new Map(b.locals).set(name.exprKind.value.name, local));
  return {
    ...shapeOf(inner),
    eval(scope) {
      const result = bound(scope);
      if (result instanceof Failure) return result;
      scope.locals[slot] = result;
      return inner.eval(scope);
    },
  };
}

/** list.sortBy(x, key) */
function buildSortBy(target: Expr, args: readonly Expr[], b: Builder): Compiled {
  const [name, key] = args;
  if (name?.exprKind.case !== 'identExpr' || key === undefined) {
    throw new CelProblem('sortBy needs a name and an expression');
  }
  checkNesting(b);
  const slot = b.slot();
  const range = b.build(target);
  const list = range.eval;
  const local = { slot, shape: range.item ?? DYN };
  const before = b.nodes();
  const keyOf = b.build(key, new Map(b.locals).set(name.exprKind.value.name, local), b.folds + 1).eval;
  const price = STEP + b.nodes() - before;
  return {
    type: 'list',
    ...(range.item === undefined ? {} : { item: range.item }),
    eval(scope) {
      const values = list(scope);
      if (values instanceof Failure) return values;
      if (!isCelList(values)) return NO_OVERLOAD;
      const keyed: { key: Value; value: Value }[] = [];
      for (const value of values) {
        if (!spend(scope, price)) return TOO_MANY_STEPS;
        scope.locals[slot] = value;
        const by = keyOf(scope);
        if (by instanceof Failure) return by;
        keyed.push({ key: by, value });
      }
      return sortByKey(keyed, scope);
    },
  };
}
