/** JSON as Go writes it: keys sorted, bytes as base64, times as RFC 3339. */
import { isCelList, isCelMap, isCelUint } from '@bufbuild/cel';
import { libraryOperation } from '../library.ts';
import { TOO_DEEP } from '../limits.ts';
import { Failure, Fatal, fromPlain, type Result, type Value } from '../value.ts';

const MAX_DEPTH = 64;
const BAD_JSON = new Failure('the text is not JSON');

export function encodeJson(value: Value): string {
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
  if (isCelList(value)) return `[${[...value].map(encodeJson).join(',')}]`;
  if (isCelMap(value)) {
    const entries = [...value].map(([key, item]): [string, Value] => [
      isCelUint(key) ? String(key.value) : String(key),
      item,
    ]);
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${encodeJson(item)}`).join(',')}}`;
  }
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
function isDeep(value: unknown, left: number): boolean {
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
