/** Values of expressions and results of actions, as JSON has them. */
import { isCelList, isCelMap, isCelUint } from '@bufbuild/cel';
import { libraryOperation } from '../cel/library.ts';
import type { Value } from '../cel/value.ts';

export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [name: string]: Plain };

/** Whole numbers that JSON cannot hold, times and durations become text; bytes are read as UTF-8. */
export function plainOf(value: unknown): Plain {
  switch (typeof value) {
    case 'boolean':
    case 'string':
    case 'number':
      return value;
    case 'bigint':
      return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
    case 'object':
      break;
    default:
      return null;
  }
  if (value === null) return null;
  if (Array.isArray(value)) return value.map(plainOf);
  if (isCelList(value)) return [...value].map(plainOf);
  if (isCelMap(value)) return fromEntries(value.entries());
  if (value instanceof Map) return fromEntries(value.entries());
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (isCelUint(value)) return plainOf(value.value);
  if (isPlainObject(value)) return fromEntries(Object.entries(value));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is left are values of the library alone
  const text = libraryOperation('string(a)')(value as Value);
  return typeof text === 'string' ? text : null;
}

function fromEntries(entries: Iterable<readonly [unknown, unknown]>): Plain {
  return Object.fromEntries([...entries].map(([key, item]) => [nameOf(key), plainOf(item)]));
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function nameOf(key: unknown): string {
  const plain = plainOf(key);
  return typeof plain === 'string' ? plain : JSON.stringify(plain);
}
