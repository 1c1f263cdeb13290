/** The operators of the language, compiled with what is known about their operands. */
import { isCelList } from '@bufbuild/cel';
import type { Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import { constant, type Builder, type Compiled } from './compiled.ts';
import { CelProblem } from './failures.ts';
import { buildAnd, buildConditional, buildNot, buildNotStrictlyFalse, buildOr } from './logic.ts';
import { fieldShape } from './names.ts';
import {
  access,
  arithmetic,
  compare,
  contains,
  equal,
  isKey,
  negate,
  NO_OVERLOAD,
  type Arithmetic,
} from './operations.ts';
import type { Eval, Scope } from './scope.ts';
import { canEqual, DYN, INT, shapeName, union, type Shape } from './shapes.ts';
import { Failure, Fatal, mayBe, type Result, type StaticType, type Value } from './value.ts';

type Build = (args: readonly Expr[], b: Builder) => Compiled;

const OPERATORS: Readonly<Record<string, Build>> = {
  '_&&_': (args, b) => buildAnd(...two(args, b)),
  '_||_': (args, b) => buildOr(...two(args, b)),
  '!_': (args, b) => buildNot(one(args, b)),
  '_?_:_': (args, b) => buildConditional(...three(args, b)),
  '@not_strictly_false': (args, b) => buildNotStrictlyFalse(one(args, b)),
  '_==_': (args, b) => buildEqual(...two(args, b), false),
  '_!=_': (args, b) => buildEqual(...two(args, b), true),
  '_<_': (args, b) => buildOrder('<', ...two(args, b)),
  '_<=_': (args, b) => buildOrder('<=', ...two(args, b)),
  '_>_': (args, b) => buildOrder('>', ...two(args, b)),
  '_>=_': (args, b) => buildOrder('>=', ...two(args, b)),
  '@in': (args, b) => buildIn(...two(args, b)),
  '_[_]': (args, b) => buildIndex(...two(args, b)),
  '_+_': (args, b) => buildArithmetic('+', ...two(args, b)),
  '_-_': (args, b) => buildArithmetic('-', ...two(args, b)),
  '_*_': (args, b) => buildArithmetic('*', ...two(args, b)),
  '_/_': (args, b) => buildArithmetic('/', ...two(args, b)),
  '_%_': (args, b) => buildArithmetic('%', ...two(args, b)),
  '-_': (args, b) => {
    const operand = one(args, b);
    return { type: operand.type, eval: unary(operand.eval, negate) };
  },
};

/** @returns null when `name` is not an operator. */
export function buildOperator(name: string, args: readonly Expr[], b: Builder): Compiled | null {
  const build = Object.hasOwn(OPERATORS, name) ? OPERATORS[name] : undefined;
  return build === undefined ? null : build(args, b);
}

/** has(a[b]): whether the index would find something. */
export function buildPresenceOfKey(args: readonly Expr[], b: Builder): Compiled {
  const [only] = args;
  const call = only?.exprKind.case === 'callExpr' ? only.exprKind.value : null;
  if (args.length !== 1 || call === null || call.function !== '_[_]') {
    throw new CelProblem('has() takes a field, as in has(a.b)');
  }
  const [container, key] = two(call.args, b);
  if (container.keyed !== undefined) return buildIn(key, container);
  return {
    type: 'bool',
    eval: binary(container.eval, key.eval, (values, at, scope) => {
      const found = access(values, at, scope);
      return found instanceof Fatal ? found : !(found instanceof Failure);
    }),
  };
}

function one(args: readonly Expr[], b: Builder): Compiled {
  const [a] = args;
  if (a === undefined) throw new CelProblem('it is incomplete');
  return b.build(a);
}

function two(args: readonly Expr[], b: Builder): [Compiled, Compiled] {
  const [x, y] = args;
  if (x === undefined || y === undefined) throw new CelProblem('it is incomplete');
  return [b.build(x), b.build(y)];
}

function three(args: readonly Expr[], b: Builder): [Compiled, Compiled, Compiled] {
  const [x, y, z] = args;
  if (x === undefined || y === undefined || z === undefined) throw new CelProblem('it is incomplete');
  return [b.build(x), b.build(y), b.build(z)];
}

function unary(operand: Eval, apply: (value: Value) => Value | Failure): Eval {
  return (scope) => {
    const value = operand(scope);
    return value instanceof Failure ? value : apply(value);
  };
}

function binary(left: Eval, right: Eval, apply: (a: Value, b: Value, scope: Scope) => Result): Eval {
  return (scope) => {
    const a = left(scope);
    if (a instanceof Failure) return a;
    const b = right(scope);
    return b instanceof Failure ? b : apply(a, b, scope);
  };
}

function buildEqual(left: Compiled, right: Compiled, negated: boolean): Compiled {
  const [a, b] = legacyNumbers(left, right);
  if (!canEqual(a, b)) throw noOverload(negated ? '!=' : '==', a, b);
  const wanted = b.constant?.value ?? null;
  // The commonest test of all: text against a literal.
  if (b.constant !== undefined && typeof wanted === 'string' && wanted.length <= 256) {
    const get = a.eval;
    return {
      type: 'bool',
      eval(scope) {
        const value = get(scope);
        return value instanceof Failure ? value : (value === wanted) !== negated;
      },
    };
  }
  if (a.constant !== undefined && b.constant === undefined) return buildEqual(b, a, negated);
  return { type: 'bool', eval: binary(a.eval, b.eval, (x, y, scope) => equal(x, y, scope) !== negated) };
}

function asNumber(from: Compiled): Compiled {
  const text = from.constant?.value;
  return typeof text === 'string' && /^-?\d{1,18}$/.test(text) ? constant('int', BigInt(text)) : from;
}

/** `res.StatusCode == '200'` of old fixtures means the number. */
function legacyNumbers(a: Compiled, b: Compiled): [Compiled, Compiled] {
  if (a.legacy === true && a.type === 'int') return [a, asNumber(b)];
  return b.legacy === true && b.type === 'int' ? [asNumber(a), b] : [a, b];
}

const ORDERED: ReadonlySet<StaticType> = new Set([
  'dyn',
  'bool',
  'int',
  'uint',
  'double',
  'string',
  'bytes',
  'timestamp',
  'duration',
]);
const TIMES: ReadonlySet<StaticType> = new Set(['timestamp', 'duration']);
const NUMBERS: ReadonlySet<StaticType> = new Set(['int', 'uint', 'double']);

function buildOrder(order: '<' | '<=' | '>' | '>=', left: Compiled, right: Compiled): Compiled {
  const [x, y] = legacyNumbers(left, right);
  const comparable = x.type === y.type || mayBe(x.type, y.type) || (NUMBERS.has(x.type) && NUMBERS.has(y.type));
  if (!comparable || !ORDERED.has(x.type) || !ORDERED.has(y.type)) throw noOverload(order, x, y);
  return { type: 'bool', eval: binary(x.eval, y.eval, compare(order)) };
}

function buildIn(item: Compiled, container: Compiled): Compiled {
  if (container.type !== 'dyn' && container.type !== 'list' && container.type !== 'map') {
    throw noOverload('in', item, container);
  }
  const among = container.type === 'map' ? container.key : container.item;
  if (among !== undefined && !canEqual(item, among)) throw noOverload('in', item, container);
  const { keyed } = container;
  if (keyed !== undefined) {
    return {
      type: 'bool',
      eval(scope) {
        const key = item.eval(scope);
        if (key instanceof Failure) return key;
        if (typeof key === 'string') return keyed.has(scope, key);
        return isKey(key) ? false : NO_OVERLOAD;
      },
    };
  }
  const texts = constantTexts(container);
  if (texts !== null) {
    return { type: 'bool', eval: unary(item.eval, (value) => typeof value === 'string' && texts.has(value)) };
  }
  return {
    type: 'bool',
    eval: binary(item.eval, container.eval, (value, values, scope) => contains(values, value, scope)),
  };
}

/** A literal list of texts only becomes a set. */
function constantTexts(container: Compiled): ReadonlySet<string> | null {
  const list = container.constant?.value;
  if (!isCelList(list)) return null;
  const texts = new Set<string>();
  for (const value of list) {
    if (typeof value !== 'string') return null;
    texts.add(value);
  }
  return texts;
}

function buildIndex(container: Compiled, key: Compiled): Compiled {
  if (container.type !== 'dyn' && container.type !== 'list' && container.type !== 'map') {
    throw noOverload('[]', container, key);
  }
  const keys = container.type === 'list' ? INT : container.key;
  if (keys !== undefined && !canEqual(key, keys)) throw noOverload('[]', container, key);
  const { keyed } = container;
  const wanted = new Failure('the key of a map like this is text');
  const get: Eval =
    keyed === undefined
      ? binary(container.eval, key.eval, access)
      : (scope) => {
          const at = key.eval(scope);
          if (at instanceof Failure) return at;
          return typeof at === 'string' ? keyed.get(scope, at) : wanted;
        };
  if (container.lenient !== true) return { ...indexShape(container, key), eval: get };
  return {
    type: 'dyn',
    lenient: true,
    eval(scope) {
      const whole = container.keyed === undefined ? container.eval(scope) : undefined;
      if (whole === null) return null;
      return get(scope);
    },
  };
}

function indexShape(container: Compiled, key: Compiled): Shape {
  const name = key.constant?.value;
  return typeof name === 'string' ? fieldShape(container, name) : (container.item ?? DYN);
}

function buildArithmetic(operator: Arithmetic, a: Compiled, b: Compiled): Compiled {
  const type = arithmeticType(operator, a.type, b.type);
  if (type === null) throw noOverload(operator, a, b);
  const shape: Shape = type === 'list' ? { ...union([a, b]), type } : { type };
  return { ...shape, eval: binary(a.eval, b.eval, arithmetic(operator)) };
}

/** @returns null when the operator does not apply. */
function arithmeticType(operator: Arithmetic, a: StaticType, b: StaticType): StaticType | null {
  if (a === 'bool' || b === 'bool' || a === 'null' || b === 'null' || a === 'map' || b === 'map') return null;
  if (a === 'dyn' || b === 'dyn' || TIMES.has(a) || TIMES.has(b)) return 'dyn';
  if (a !== b) return null;
  if (a === 'string' || a === 'bytes' || a === 'list') return operator === '+' ? a : null;
  if (a === 'double' && operator === '%') return null;
  return NUMBERS.has(a) ? a : null;
}

function noOverload(operator: string, a: Compiled, b: Compiled): CelProblem {
  const hint = operator === '==' && (a.type === 'list') !== (b.type === 'list') ? '; a list has items, as in x[0]' : '';
  return new CelProblem(`"${operator}" does not apply to ${shapeName(a)} and ${shapeName(b)}${hint}`);
}
