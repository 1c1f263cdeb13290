/** Equality, order, membership, access and arithmetic on values, as the CEL language definition has them. */
import { celList, isCelList, isCelMap, isCelUint, type CelMap, type CelUint } from '@bufbuild/cel';
import { libraryOperation } from './library.ts';
import { LIST_TOO_LONG, MAX_LIST, MAX_TEXT, TEXT_TOO_LONG, TOO_MANY_STEPS } from './limits.ts';
import type { Scope } from './scope.ts';
import { Failure, type Result, type Value } from './value.ts';
import { LIBRARY_CALL, sizeOf, spend } from './work.ts';

export const NO_OVERLOAD = new Failure('the operator does not apply to values of these types');
const OVERFLOW = new Failure('integer overflow');
const BY_ZERO = new Failure('division by zero');
export const NO_SUCH_FIELD = new Failure('no such field or key', true);
export const OUT_OF_RANGE = new Failure('index out of range', true);

/** False when the budget is gone before it is known. */
export function equal(a: Value, b: Value, scope: Scope): boolean {
  if (typeof a === 'string' && typeof b === 'string') {
    // Texts of different length differ at once.
    if (a.length === b.length && a.length > SHORT) spend(scope, a.length / SHORT);
    return a === b;
  }
  if (a === b) return true;
  if (!spend(scope, 1)) return false;
  if (typeof a === 'string' || typeof b === 'string') return false;
  if (a === null || b === null) return false;
  const x = isCelUint(a) ? a.value : a;
  const y = isCelUint(b) ? b.value : b;
  if (typeof x !== 'object' || typeof y !== 'object') {
    // oxlint-disable-next-line eqeqeq -- int and double compare by value (1 == 1.0), which only == does exactly
    return isNumber(x) && isNumber(y) && x == y;
  }
  if (isCelList(x)) {
    if (!isCelList(y) || x.size !== y.size) return false;
    for (let i = 0; i < x.size; i++) if (!equal(x.get(i) ?? null, y.get(i) ?? null, scope)) return false;
    return true;
  }
  if (isCelMap(x)) {
    if (!isCelMap(y) || x.size !== y.size) return false;
    for (const [key, value] of x) {
      const other = y.get(key);
      if (other === undefined || !equal(value, other, scope)) return false;
    }
    return true;
  }
  return library(scope, a, b) && libraryOperation('a == b')(a, b) === true;
}

/** Characters that a comparison passes in about ten nanoseconds. */
const SHORT = 64;

/** @returns whether the library may be asked about these */
function library(scope: Scope, a: Value, b: Value): boolean {
  return spend(scope, LIBRARY_CALL + (sizeOf(a) + sizeOf(b)) / 4);
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

type Order = '<' | '<=' | '>' | '>=';

export type Binary = (a: Value, b: Value, scope: Scope) => Result;

export function compare(order: Order): Binary {
  const operation = libraryOperation(`a ${order} b`);
  const test = {
    '<': (a: number | bigint | string | boolean, b: typeof a) => a < b,
    '<=': (a: number | bigint | string | boolean, b: typeof a) => a <= b,
    '>': (a: number | bigint | string | boolean, b: typeof a) => a > b,
    '>=': (a: number | bigint | string | boolean, b: typeof a) => a >= b,
  }[order];
  return (a, b, scope) => {
    // An int beside a double is rounded to one first, as cel-go does.
    if (typeof a === 'bigint' && typeof b === 'number') return test(Number(a), b);
    if (typeof a === 'number' && typeof b === 'bigint') return test(a, Number(b));
    if (isNumber(a) && isNumber(b)) return test(a, b);
    if (typeof a === 'string' && typeof b === 'string') {
      const both = Math.min(a.length, b.length);
      if (both > SHORT) spend(scope, both / SHORT);
      return test(a, b);
    }
    if (typeof a === 'boolean' && typeof b === 'boolean') return test(a, b);
    const objects = typeof a === 'object' && a !== null && typeof b === 'object' && b !== null;
    if (!objects && !isCelUint(a) && !isCelUint(b)) return NO_OVERLOAD;
    return library(scope, a, b) ? operation(a, b) : TOO_MANY_STEPS;
  };
}

export function contains(container: Value, item: Value, scope: Scope): Result {
  if (isCelList(container)) {
    for (const member of container) {
      if (!spend(scope, 5)) return TOO_MANY_STEPS;
      if (equal(member, item, scope)) return true;
    }
    return false;
  }
  if (!isCelMap(container) || !isKey(item)) return NO_OVERLOAD;
  return searched(container, item, scope) ? container.get(item) !== undefined : TOO_MANY_STEPS;
}

/** A number that is no key is looked for among all of them: an int and a uint are one key. */
function searched(map: CelMap, key: Value, scope: Scope): boolean {
  return typeof key === 'string' || typeof key === 'boolean' || spend(scope, map.size / 4);
}

export function access(container: Value, index: Value, scope: Scope): Result {
  if (isCelList(container)) {
    const at = listIndex(index);
    if (at === null) return NO_OVERLOAD;
    return at < 0 || at >= container.size ? OUT_OF_RANGE : (container.get(at) ?? null);
  }
  if (!isCelMap(container)) return NO_OVERLOAD;
  if (!isKey(index)) return NO_SUCH_FIELD;
  if (!searched(container, index, scope)) return TOO_MANY_STEPS;
  const value = container.get(index);
  return value === undefined ? NO_SUCH_FIELD : value;
}

/** `a.field` */
export function select(container: Value, field: string): Result {
  if (!isCelMap(container)) return NO_SUCH_FIELD;
  const value = container.get(field);
  return value === undefined ? NO_SUCH_FIELD : value;
}

export function isKey(value: Value): value is string | bigint | boolean | number | CelUint {
  return typeof value === 'string' || typeof value === 'boolean' || isNumber(value) || isCelUint(value);
}

function listIndex(index: Value): number | null {
  if (typeof index === 'bigint') return Number(index);
  if (isCelUint(index)) return Number(index.value);
  return typeof index === 'number' && Number.isInteger(index) ? index : null;
}

const MIN = -(2n ** 63n);
const MAX = 2n ** 63n - 1n;
const bounded = (value: bigint): Result => (value < MIN || value > MAX ? OVERFLOW : value);

export type Arithmetic = '+' | '-' | '*' | '/' | '%';

export function arithmetic(operator: Arithmetic): Binary {
  const operation = libraryOperation(`a ${operator} b`);
  const onInts = ON_INTS[operator];
  const onDoubles = ON_DOUBLES[operator];
  return (a, b, scope) => {
    if (typeof a === 'bigint' && typeof b === 'bigint') return onInts(a, b);
    if (typeof a === 'number' && typeof b === 'number') return onDoubles(a, b);
    if (operator === '+') {
      const sum = sizeOf(a) + sizeOf(b);
      if (typeof a === 'string' && typeof b === 'string') {
        if (sum > MAX_TEXT) return TEXT_TOO_LONG;
        return spend(scope, sum / 16) ? a + b : TOO_MANY_STEPS;
      }
      if (isCelList(a) && isCelList(b)) {
        if (sum > MAX_LIST) return LIST_TOO_LONG;
        // In one piece: lists of lists of lists would take longer to go through with each level.
        return spend(scope, sum * 3) ? celList([...a, ...b]) : TOO_MANY_STEPS;
      }
      if (a instanceof Uint8Array && b instanceof Uint8Array && sum > MAX_TEXT) return TEXT_TOO_LONG;
    }
    if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return NO_OVERLOAD;
    return library(scope, a, b) ? operation(a, b) : TOO_MANY_STEPS;
  };
}

const ON_INTS: Readonly<Record<Arithmetic, (a: bigint, b: bigint) => Result>> = {
  '+': (a, b) => bounded(a + b),
  '-': (a, b) => bounded(a - b),
  '*': (a, b) => bounded(a * b),
  '/': (a, b) => (b === 0n ? BY_ZERO : bounded(a / b)),
  '%': (a, b) => (b === 0n ? BY_ZERO : a % b),
};

const ON_DOUBLES: Readonly<Record<Arithmetic, (a: number, b: number) => Result>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': () => NO_OVERLOAD,
};

export function negate(value: Value): Result {
  if (typeof value === 'bigint') return bounded(-value);
  return typeof value === 'number' ? -value : NO_OVERLOAD;
}
