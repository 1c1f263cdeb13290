/** Header lists as CEL maps: keys lower case, looked up without case, every value a list. */
import { celMap, type CelList } from '@bufbuild/cel';
import type { HeaderView } from '../../runtime.ts';
import { TOO_MANY_STEPS } from '../limits.ts';
import type { Scope } from '../scope.ts';
import { Failure, listOfStrings, type Result } from '../value.ts';
import { spend } from '../work.ts';

class CaselessMap extends Map<string, CelList> {
  override get(key: string): CelList | undefined {
    return super.get(typeof key === 'string' ? key.toLowerCase() : key);
  }

  override has(key: string): boolean {
    return super.has(typeof key === 'string' ? key.toLowerCase() : key);
  }
}

export function headerMap(headers: Pick<HeaderView, 'size' | 'entries'>, scope: Scope): Result {
  if (!spend(scope, 20 + headers.size * 30)) return TOO_MANY_STEPS;
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
export function headerList(headers: HeaderView, name: string, scope: Scope): Result {
  if (!spend(scope, 5 + headers.size / 2)) return TOO_MANY_STEPS;
  const values = headers.getAll(name);
  return values.length === 0 ? NO_SUCH_KEY : listOfStrings(values);
}
