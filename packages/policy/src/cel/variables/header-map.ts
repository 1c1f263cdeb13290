/** Header lists as CEL maps: keys lower case, looked up without case, every value a list. */
import { celMap, type CelList } from '@bufbuild/cel';
import type { HeaderView } from '../../runtime.ts';
import { Failure, listOfStrings, type Value } from '../value.ts';

class CaselessMap extends Map<string, CelList> {
  override get(key: string): CelList | undefined {
    return super.get(typeof key === 'string' ? key.toLowerCase() : key);
  }

  override has(key: string): boolean {
    return super.has(typeof key === 'string' ? key.toLowerCase() : key);
  }
}

export function headerMap(headers: HeaderView): Value {
  const lists = new Map<string, string[]>();
  for (const [name, value] of headers.entries()) {
    const key = name.toLowerCase();
    const list = lists.get(key);
    if (list === undefined) lists.set(key, [value]);
    else list.push(value);
  }
  const map = new CaselessMap();
  for (const [key, list] of lists) map.set(key, listOfStrings(list));
  return celMap(map);
}

export const NO_SUCH_KEY = new Failure('no such key', true);

/** One header's values, or the failure that a missing key is. */
export function headerList(headers: HeaderView, name: string): Value | Failure {
  const values = headers.getAll(name);
  return values.length === 0 ? NO_SUCH_KEY : listOfStrings(values);
}
