/** The list functions of cel-go's extension that policies use; sortBy is a macro and lives in calls.ts. */
import { celList, isCelList, type CelInput, type CelList } from '@bufbuild/cel';
import { LIST_TOO_LONG, MAX_LIST, TOO_MANY_STEPS } from '../limits.ts';
import { compare, equal } from '../operations.ts';
import type { Scope } from '../scope.ts';
import { sizeOf, spend } from '../work.ts';
import { Failure, Fatal, type Result, type Value } from '../value.ts';
import { INT } from '../shapes.ts';
import { define, giving, ofTheSame, type FunctionDef } from './definition.ts';

const MAX_COMPARED = 1000;
const TOO_MANY_KINDS = new Fatal(90034, {
  reason: `distinct() compares at most ${MAX_COMPARED} values that are not text`,
});
const BAD_BOUNDS = new Failure('the bounds of slice() lie outside the list');
const BAD_DEPTH = new Failure('the depth of flatten() may not be negative');
const BAD_RANGE = new Failure('lists.range() needs a number that is not negative');

function slice(list: CelList, from: bigint, to: bigint): Result {
  if (from < 0n || to < from || to > BigInt(list.size)) return BAD_BOUNDS;
  return celList([...list].slice(Number(from), Number(to)));
}

function flatten(list: CelList, depth: bigint, scope: Scope): Result {
  if (depth < 0n) return BAD_DEPTH;
  const flat: CelInput[] = [];
  const walk = (items: CelList, left: bigint): boolean => {
    for (const item of items) {
      if (!spend(scope, 10)) return false;
      if (isCelList(item) && left > 0n) {
        if (!walk(item, left - 1n)) return false;
      } else if (flat.push(item) > MAX_LIST) return false;
    }
    return true;
  };
  return walk(list, depth) ? celList(flat) : LIST_TOO_LONG;
}

function distinct(list: CelList, scope: Scope): Result {
  const texts = new Set<string>();
  const others: Value[] = [];
  const kept: Value[] = [];
  for (const item of list) {
    if (!spend(scope, 10 + sizeOf(item) / 16)) return TOO_MANY_STEPS;
    if (typeof item === 'string') {
      if (texts.has(item)) continue;
      texts.add(item);
    } else {
      // Compared with each other one by one.
      if (others.some((other) => spend(scope, 5) && equal(other, item, scope))) continue;
      if (others.push(item) > MAX_COMPARED) return TOO_MANY_KINDS;
    }
    kept.push(item);
  }
  return celList(kept);
}

const less = compare('<');

/** Stable; values that cannot be compared make it fail. */
export function sortByKey(keyed: { key: Value; value: Value }[], scope: Scope): Result {
  let problem: Failure | null = null;
  const isLess = (a: Value, b: Value): boolean => {
    if (!spend(scope, 10)) return false;
    const result = less(a, b, scope);
    if (result instanceof Failure) problem = result;
    return result === true;
  };
  keyed.sort((a, b) => (isLess(a.key, b.key) ? -1 : isLess(b.key, a.key) ? 1 : 0));
  return problem ?? celList(keyed.map((one): CelInput => one.value));
}

export const LIST_FUNCTIONS: readonly FunctionDef[] = [
  ofTheSame(define('method', 'slice', ['list', 'int', 'int'], 'list', (_, list, from, to) => slice(list, from, to))),
  define('method', 'flatten', ['list'], 'list', (scope, list) => flatten(list, 1n, scope)),
  define('method', 'flatten', ['list', 'int'], 'list', (scope, list, depth) => flatten(list, depth, scope)),
  ofTheSame(define('method', 'distinct', ['list'], 'list', (scope, list) => distinct(list, scope))),
  ofTheSame(
    define('method', 'sort', ['list'], 'list', (scope, list) =>
      sortByKey(
        [...list].map((value) => ({ key: value, value })),
        scope,
      ),
    ),
  ),
  giving(
    { type: 'list', item: INT },
    define('global', 'lists.range', ['int'], 'list', (scope, count) => {
      if (count < 0n) return BAD_RANGE;
      if (count > BigInt(MAX_LIST)) return LIST_TOO_LONG;
      if (!spend(scope, Number(count) * 2)) return TOO_MANY_STEPS;
      return celList(Array.from({ length: Number(count) }, (_item, index) => BigInt(index)));
    }),
  ),
];
