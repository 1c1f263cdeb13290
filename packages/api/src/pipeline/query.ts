import { fail } from '@postern/errors';
import { quoted } from '../wire/ids.ts';

/** Which query parameters an operation knows. */
export interface QueryRule {
  /** before_id (alias beforeId: what npm's client sends, api.md §3) and limit. */
  readonly paged: boolean;
  readonly filter: boolean;
  /** Repeatable parameters: name of the list → its spellings on the wire. */
  readonly lists: Readonly<Record<string, readonly string[]>>;
  /** What before_id begins with. */
  readonly idPrefixes: readonly string[];
}

export interface Query {
  /** '' = from the newest on. */
  readonly beforeId: string;
  /** 1 to 100. */
  readonly limit: number;
  /** '' = none. */
  readonly filter: string;
  readonly lists: Readonly<Record<string, readonly string[]>>;
  /** What the next page keeps, verbatim and with a limit: all parameters but those that say where a page starts. */
  readonly kept: readonly string[];
}

export const NO_QUERY: QueryRule = { paged: false, filter: false, lists: {}, idPrefixes: [] };

const DEFAULT_LIMIT = 100;
const BEFORE = ['before_id', 'beforeId'];

/** Reads the part of the URL after "?"; throws 230, 231, 232, 233, 244 and, for before_id, 227. */
export function readQuery(raw: string, rule: QueryRule): Query {
  const singles = new Map<string, string>();
  const lists: Record<string, string[]> = Object.fromEntries(Object.keys(rule.lists).map((name) => [name, []]));
  const kept: string[] = [];
  for (const pair of raw.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const wireName = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = decode(equals < 0 ? '' : pair.slice(equals + 1));
    const list = Object.entries(rule.lists).find(([, names]) => names.includes(wireName));
    if (list !== undefined) {
      lists[list[0]]?.push(value);
      kept.push(pair);
      continue;
    }
    const name = BEFORE.includes(wireName) ? 'before_id' : wireName;
    if (!singleNames(rule).includes(name)) {
      throw fail(231, { parameter: quoted(wireName), known: knownNames(rule) });
    }
    if (singles.has(name)) throw fail(232, { parameter: quoted(wireName) });
    singles.set(name, value);
    if (name !== 'before_id') kept.push(pair);
  }
  if (!singles.has('limit')) kept.unshift(`limit=${DEFAULT_LIMIT}`);
  return {
    beforeId: readBeforeId(singles.get('before_id') ?? '', rule),
    limit: readLimit(singles.get('limit')),
    filter: singles.get('filter') ?? '',
    lists,
    kept,
  };
}

function singleNames(rule: QueryRule): string[] {
  return [...(rule.paged ? ['before_id', 'limit'] : []), ...(rule.filter ? ['filter'] : [])];
}

function knownNames(rule: QueryRule): string {
  const names = [...singleNames(rule), ...Object.values(rule.lists).flat()];
  return names.length === 0 ? 'none' : names.join(', ');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw fail(230, { reason: `"${quoted(text)}" has a % that no two hexadecimal digits of UTF-8 text follow` });
  }
}

function readLimit(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  if (!/^[+-]?\d+$/.test(text)) throw fail(244, { limit: quoted(text) });
  const limit = Number(text);
  if (limit < 1 || limit > 100) throw fail(233, { limit: quoted(text) });
  return limit;
}

/** The row need not exist (it may have been deleted since), but a text that is no id of this kind is a mistake. */
function readBeforeId(id: string, rule: QueryRule): string {
  if (id === '' || rule.idPrefixes.some((prefix) => id.startsWith(`${prefix}_`))) return id;
  throw fail(227, { field: 'before_id', id: quoted(id), prefix: rule.idPrefixes[0] ?? '' });
}
