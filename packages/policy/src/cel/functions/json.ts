/** JSON as Go writes it: keys sorted, bytes as base64, times as RFC 3339. */
import { isCelList, isCelMap, isCelUint, type CelList, type CelMap } from '@bufbuild/cel';
import { libraryOperation } from '../library.ts';
import { MAX_TEXT, TEXT_TOO_LONG, TOO_DEEP, TOO_MANY_STEPS } from '../limits.ts';
import type { Scope } from '../scope.ts';
import { LIBRARY_CALL, spend } from '../work.ts';
import { Failure, Fatal, fromPlain, type Result, type Value } from '../value.ts';

const MAX_DEPTH = 64;
const BAD_JSON = new Failure('the text is not JSON');

/** Bounded in size and cost: a value may hold the same list a million times over. */
export function encodeJson(value: Value, scope: Scope): string | Failure {
  const writer = new Writer(scope);
  return writer.write(value, 0) ? writer.text : writer.problem;
}

class Writer {
  text = '';
  problem: Failure = TOO_MANY_STEPS;
  readonly #scope: Scope;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** @returns false when it had to stop */
  write(value: Value, depth: number): boolean {
    if (!spend(this.#scope, 10)) return false;
    if (depth > MAX_DEPTH) return this.#stop(TOO_DEEP);
    if (isCelList(value)) return this.#list(value, depth);
    if (isCelMap(value)) return this.#map(value, depth);
    return this.#add(plainJson(value, this.#scope));
  }

  #list(list: CelList, depth: number): boolean {
    let mark = '[';
    for (const item of list) {
      if (!this.#add(mark) || !this.write(item, depth + 1)) return false;
      mark = ',';
    }
    return this.#add(mark === '[' ? '[]' : ']');
  }

  #map(map: CelMap, depth: number): boolean {
    if (!spend(this.#scope, map.size * 20)) return false;
    const entries = [...map].map(([key, item]): [string, Value] => [
      isCelUint(key) ? String(key.value) : String(key),
      item,
    ]);
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    let mark = '{';
    for (const [key, item] of entries) {
      if (!this.#add(`${mark}${JSON.stringify(key)}:`) || !this.write(item, depth + 1)) return false;
      mark = ',';
    }
    return this.#add(mark === '{' ? '{}' : '}');
  }

  #add(text: string): boolean {
    this.text += text;
    if (this.text.length > MAX_TEXT) return this.#stop(TEXT_TOO_LONG);
    return spend(this.#scope, text.length);
  }

  #stop(problem: Failure): boolean {
    this.problem = problem;
    return false;
  }
}

function plainJson(value: Value, scope: Scope): string {
  if (value === null) return 'null';
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      return Number.isFinite(value) ? JSON.stringify(value) : 'null';
    default:
      break;
  }
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('base64'));
  if (isCelUint(value)) return String(value.value);
  if (!spend(scope, LIBRARY_CALL)) return 'null';
  const text = libraryOperation('string(a)')(value);
  return typeof text === 'string' ? JSON.stringify(text) : 'null';
}

export function decodeJson(text: string): Result {
  let plain: unknown;
  try {
    plain = JSON.parse(text);
  } catch {
    return BAD_JSON;
  }
  return isDeep(plain, MAX_DEPTH) ? TOO_DEEP : fromPlain(plain);
}

/** Whether lists and maps in it are nested more than `left` deep. */
export function isDeep(value: unknown, left: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (left === 0) return true;
  for (const item of Array.isArray(value) ? value : Object.values(value)) if (isDeep(item, left - 1)) return true;
  return false;
}

export function isJson(text: string): Result {
  const value = decodeJson(text);
  if (value instanceof Fatal) return value;
  return !(value instanceof Failure);
}
