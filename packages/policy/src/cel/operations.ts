/** Equality, order, membership, access and arithmetic on values, as the CEL language definition has them. */
import { celListConcat, isCelList, isCelMap, isCelUint, type CelUint } from '@bufbuild/cel';
import { libraryOperation } from './library.ts';
import { LIST_TOO_LONG, MAX_LIST, MAX_TEXT, TEXT_TOO_LONG } from './limits.ts';
import { Failure, type Result, type Value } from './value.ts';

export const NO_OVERLOAD = new Failure('the operator does not apply to values of these types');
const OVERFLOW = new Failure('integer overflow');
const BY_ZERO = new Failure('division by zero');
export const NO_SUCH_FIELD = new Failure('no such field or key', true);
export const OUT_OF_RANGE = new Failure('index out of range', true);

export function equal(a: Value, b: Value): boolean {
  if (a === b) return true;
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
    for (let i = 0; i < x.size; i++) if (!equal(x.get(i) ?? null, y.get(i) ?? null)) return false;
    return true;
  }
  if (isCelMap(x)) {
    if (!isCelMap(y) || x.size !== y.size) return false;
    for (const [key, value] of x) {
      const other = y.get(key);
      if (other === undefined || !equal(value, other)) return false;
    }
    return true;
  }
  return libraryOperation('a == b')(a, b) === true;
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

type Order = '<' | '<=' | '>' | '>=';

export function compare(order: Order): (a: Value, b: Value) => Result {
  const library = libraryOperation(`a ${order} b`);
  const test = {
    '<': (a: number | bigint | string | boolean, b: typeof a) => a < b,
    '<=': (a: number | bigint | string | boolean, b: typeof a) => a <= b,
    '>': (a: number | bigint | string | boolean, b: typeof a) => a > b,
    '>=': (a: number | bigint | string | boolean, b: typeof a) => a >= b,
  }[order];
  return (a, b) => {
    if (isNumber(a) && isNumber(b)) return test(a, b);
    if (typeof a === 'string' && typeof b === 'string') return test(a, b);
    if (typeof a === 'boolean' && typeof b === 'boolean') return test(a, b);
    if (typeof a === 'object' && a !== null && typeof b === 'object' && b !== null) return library(a, b);
    return isCelUint(a) || isCelUint(b) ? library(a, b) : NO_OVERLOAD;
  };
}

export function contains(container: Value, item: Value): Result {
  if (isCelList(container)) {
    for (const member of container) if (equal(member, item)) return true;
    return false;
  }
  if (isCelMap(container)) return isKey(item) ? container.get(item) !== undefined : NO_OVERLOAD;
  return NO_OVERLOAD;
}

export function access(container: Value, index: Value): Result {
  if (isCelList(container)) {
    const at = listIndex(index);
    if (at === null) return NO_OVERLOAD;
    return at < 0 || at >= container.size ? OUT_OF_RANGE : (container.get(at) ?? null);
  }
  if (!isCelMap(container)) return NO_OVERLOAD;
  const value = isKey(index) ? container.get(index) : undefined;
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

export function arithmetic(operator: Arithmetic): (a: Value, b: Value) => Result {
  const library = libraryOperation(`a ${operator} b`);
  const onInts = ON_INTS[operator];
  const onDoubles = ON_DOUBLES[operator];
  return (a, b) => {
    if (typeof a === 'bigint' && typeof b === 'bigint') return onInts(a, b);
    if (typeof a === 'number' && typeof b === 'number') return onDoubles(a, b);
    if (operator === '+') {
      if (typeof a === 'string' && typeof b === 'string') return a.length + b.length > MAX_TEXT ? TEXT_TOO_LONG : a + b;
      if (isCelList(a) && isCelList(b)) return a.size + b.size > MAX_LIST ? LIST_TOO_LONG : celListConcat(a, b);
    }
    return typeof a === 'object' && a !== null && typeof b === 'object' && b !== null ? library(a, b) : NO_OVERLOAD;
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
