/** The string functions of the standard library that policies use on every request, and a few spellings of ours. */
import type { CelList } from '@bufbuild/cel';
import { MAX_TEXT, TEXT_TOO_LONG, TOO_MANY_STEPS } from '../limits.ts';
import type { Scope } from '../scope.ts';
import { listOfStrings, Failure, type Result } from '../value.ts';
import { contains } from '../operations.ts';
import { spend } from '../work.ts';
import { matches } from './regex.ts';
import { length } from './strings.ts';
import { STRINGS } from '../shapes.ts';
import { define, giving, type FunctionDef } from './definition.ts';

/** The first `count` of them, all when it is negative. The length is known before the text is made. */
function replace(text: string, from: string, to: string, count: bigint): Result {
  const pieces = text.split(from);
  const times = count < 0n || count > BigInt(pieces.length - 1) ? pieces.length - 1 : Number(count);
  // Between all characters, and at both ends, as Go does.
  if (from === '') return replaceNothing(text, to, count);
  if (text.length + times * (to.length - from.length) > MAX_TEXT) return TEXT_TOO_LONG;
  return (
    pieces.slice(0, times + 1).join(to) +
    pieces
      .slice(times + 1)
      .map((piece) => from + piece)
      .join('')
  );
}

function replaceNothing(text: string, to: string, count: bigint): Result {
  const characters = Array.from(text);
  const places = count < 0n ? characters.length + 1 : Math.min(Number(count), characters.length + 1);
  if (text.length + places * to.length > MAX_TEXT) return TEXT_TOO_LONG;
  let out = '';
  for (let i = 0; i <= characters.length; i++) out += (i < places ? to : '') + (characters[i] ?? '');
  return out;
}

const NOT_TEXT = new Failure('join() needs a list of texts');
const NOT_TEXTS = new Failure('contains() of a list needs texts in it');

function join(list: CelList, separator: string): Result {
  const texts: string[] = [];
  let total = 0;
  for (const item of list) {
    if (typeof item !== 'string') return NOT_TEXT;
    total += item.length + separator.length;
    if (total > MAX_TEXT) return TEXT_TOO_LONG;
    texts.push(item);
  }
  return texts.join(separator);
}

/** Of values of a header, which samples ask as if there were one. */
function someContains(list: CelList, part: string, scope: Scope): Result {
  for (const item of list) {
    if (typeof item !== 'string') return NOT_TEXTS;
    if (!spend(scope, 3 + (item.length + part.length) / 16)) return TOO_MANY_STEPS;
    if (item.includes(part)) return true;
  }
  return false;
}

export const CORE_FUNCTIONS: readonly FunctionDef[] = [
  define('method', 'startsWith', ['string', 'string'], 'bool', (_, text, prefix) => text.startsWith(prefix)),
  define('method', 'endsWith', ['string', 'string'], 'bool', (_, text, suffix) => text.endsWith(suffix)),
  define('method', 'contains', ['string', 'string'], 'bool', (_, text, part) => text.includes(part)),
  // No CEL, but published samples have it.
  define('method', 'includes', ['string', 'string'], 'bool', (_, text, part) => text.includes(part)),
  define('method', 'contains', ['list', 'string'], 'bool', (scope, list, part) => someContains(list, part, scope)),
  define('method', 'includes', ['list', 'dyn'], 'bool', (scope, list, item) => contains(list, item, scope)),
  define('method', 'matches', ['string', 'string'], 'bool', (scope, text, pattern) => matches(text, pattern, scope)),
  define('global', 'matches', ['string', 'string'], 'bool', (scope, text, pattern) => matches(text, pattern, scope)),
  ...(['method', 'global'] as const).flatMap((style) => [
    define(style, 'size', ['string'], 'int', (_, text) => BigInt(length(text))),
    define(style, 'size', ['bytes'], 'int', (_, bytes) => BigInt(bytes.length)),
    define(style, 'size', ['list'], 'int', (_, list) => BigInt(list.size)),
    define(style, 'size', ['map'], 'int', (_, map) => BigInt(map.size)),
  ]),
  define('method', 'join', ['list'], 'string', (_, list) => join(list, '')),
  define('method', 'join', ['list', 'string'], 'string', (_, list, separator) => join(list, separator)),
  define('method', 'replace', ['string', 'string', 'string'], 'string', (_, text, from, to) =>
    replace(text, from, to, -1n),
  ),
  define('method', 'replace', ['string', 'string', 'string', 'int'], 'string', (_, text, from, to, count) =>
    replace(text, from, to, count),
  ),
  define('method', 'lower', ['string'], 'string', (_, text) => text.toLowerCase()),
  define('method', 'upper', ['string'], 'string', (_, text) => text.toUpperCase()),
  define('method', 'reverse', ['string'], 'string', (_, text) => Array.from(text).toReversed().join('')),
  giving(
    STRINGS,
    define('method', 'split', ['string'], 'list', (_, text) =>
      listOfStrings(text.split(/\s+/).filter((word) => word !== '')),
    ),
  ),
];
