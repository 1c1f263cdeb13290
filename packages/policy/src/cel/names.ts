/** Dotted names in expressions → variables, `vars`, results of actions; and whether something is there (`has`). */
import type { Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import { isCelList, isCelMap } from '@bufbuild/cel';
import { RESULT_KEYS } from '../schema/action-table.ts';
import { meant } from '../schema/nearest.ts';
import { constant, type Builder, type Compiled } from './compiled.ts';
import { CelProblem } from './failures.ts';
import { select } from './operations.ts';
import type { Eval } from './scope.ts';
import { shapeOfField, type Shape } from './shapes.ts';
import { Failure, fromPlain, type Result } from './value.ts';
import { resolveVariable, type Keyed } from './variables/index.ts';

/** `a.b.c` → its segments; null when it does not begin with a name, or with a comprehension's variable. */
export function pathOfExpr(expr: Expr, locals: ReadonlyMap<string, unknown>): string[] | null {
  const path: string[] = [];
  for (let node: Expr | undefined = expr; node !== undefined;) {
    if (node.exprKind.case === 'identExpr') {
      const { name } = node.exprKind.value;
      return locals.has(name) ? null : [name, ...path];
    }
    if (node.exprKind.case !== 'selectExpr' || node.exprKind.value.testOnly) return null;
    path.unshift(node.exprKind.value.field);
    node = node.exprKind.value.operand;
  }
  return null;
}

/** @throws CelProblem when nothing has that name here. */
export function resolvePath(path: readonly string[], b: Builder): Compiled {
  if (path[0] === 'vars') return fields(VARS, path.slice(1));
  if (path[0] === 'actions') return resolveResult(path, b);
  const { variable, used, legacy } = resolveVariable(path, b.phase);
  const root: Compiled = {
    ...(variable.shape ?? { type: variable.type }),
    eval: variable.get,
    ...(variable.keyed === undefined ? {} : { keyed: variable.keyed }),
    ...(legacy ? { legacy } : {}),
  };
  return fields(root, path.slice(used));
}

function fields(root: Compiled, rest: readonly string[]): Compiled {
  return rest.reduce(selectField, root);
}

/** `operand.field` on a value. */
export function selectField(operand: Compiled, field: string): Compiled {
  const lenient = operand.lenient === true;
  const { keyed } = operand;
  const get: Eval =
    keyed === undefined
      ? (scope) => {
          const value = operand.eval(scope);
          return value instanceof Failure ? value : select(value, field);
        }
      : (scope) => keyed.get(scope, field);
  if (!lenient) return { ...fieldShape(operand, field), eval: get };
  return {
    type: 'dyn',
    lenient,
    eval(scope) {
      const value = get(scope);
      return value instanceof Failure && value.absent ? null : value;
    },
  };
}

/** What never has the field would pass the rule over with each request. @throws CelProblem */
export function fieldShape(operand: Compiled, field: string): Shape {
  const shape = shapeOfField(operand, field);
  if (shape !== undefined) return shape;
  const known = operand.type === 'map' ? Object.keys(operand.fields ?? {}) : [];
  throw new CelProblem(`a value of type ${operand.type} has no field ${field} here${meant(field, known)}`);
}

const varsByKey: Keyed = {
  get(scope, key) {
    const value = scope.vars.get(key);
    return value === undefined ? null : value;
  },
  has: (scope, key) => scope.vars.has(key),
};

const VARS: Compiled = {
  type: 'map',
  keyed: varsByKey,
  lenient: true,
  eval: (scope) => fromPlain(Object.fromEntries(scope.vars)),
};

/** What `terminate-tls` came to is what the connection has. */
const TLS_RESULTS: ReadonlySet<string> = new Set(['version', 'sni', 'cipher_suite', 'client', 'server']);

function resolveResult(path: readonly string[], b: Builder): Compiled {
  const key = path[2];
  if (path[1] !== 'ngrok' || key === undefined) {
    throw new CelProblem(`${path.join('.')} is a group: results are at actions.ngrok.<action>.<field>`);
  }
  if (!RESULT_KEYS.has(key)) {
    throw new CelProblem(`there is no action with results at actions.ngrok.${key}${meant(key, RESULT_KEYS)}`);
  }
  if (key === 'terminate_tls' && TLS_RESULTS.has(path[3] ?? '')) {
    return resolvePath(['conn', 'tls', ...path.slice(3)], b);
  }
  b.usesResult(key);
  const root: Compiled = {
    type: 'dyn',
    lenient: true,
    eval: (scope) => fromPlain(scope.context.results?.get(key) ?? null),
  };
  return fields(root, path.slice(3));
}

/** `has(operand.field)` */
export function presence(operand: Expr, field: string, b: Builder): Compiled {
  const path = pathOfExpr(operand, b.locals);
  if (path !== null && path[0] !== 'vars' && path[0] !== 'actions') {
    const whole = variableOrNull([...path, field], b);
    // A declared name is always there; it counts as present when it holds something.
    if (whole !== null) return { type: 'bool', eval: (scope) => holdsSomething(whole.eval(scope)) };
  }
  const container = b.build(operand);
  const { keyed } = container;
  if (keyed !== undefined) return { type: 'bool', eval: (scope) => keyed.has(scope, field) };
  if (container.constant !== undefined && !isCelMap(container.constant.value)) return constant('bool', false);
  return {
    type: 'bool',
    eval(scope) {
      const value = container.eval(scope);
      if (value instanceof Failure) return value;
      return isCelMap(value) && value.get(field) !== undefined;
    },
  };
}

function variableOrNull(path: readonly string[], b: Builder): Compiled | null {
  try {
    const { used } = resolveVariable(path, b.phase);
    return used === path.length ? resolvePath(path, b) : null;
  } catch (error) {
    if (error instanceof CelProblem && error.unavailable === null) return null;
    throw error;
  }
}

function holdsSomething(value: Result): Result {
  if (value instanceof Failure) return value;
  if (isCelList(value) || isCelMap(value)) return value.size > 0;
  return value !== null && value !== '' && value !== 0n && value !== false;
}
