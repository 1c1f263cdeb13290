/**
 * Places in texts, and pieces of them, as CEL's string extension counts: in code points. The library counts UTF-16 units,
 * which cuts characters beyond the basic plane into halves, and drops what is behind the last piece of a split.
 */
import { listOfStrings, Failure, type Result } from '../value.ts';
import { STRINGS } from '../shapes.ts';
import { define, giving, type FunctionDef } from './definition.ts';

/** Code points, as CEL counts. */
export function length(text: string, units: number = text.length): number {
  let count = units;
  for (let i = 1; i < units; i++) if (isPair(text, i - 1)) count--;
  return count;
}

/** Whether one character has the units at `unit` and behind it. */
function isPair(text: string, unit: number): boolean {
  const high = text.charCodeAt(unit);
  if (high < 0xd800 || high >= 0xdc00) return false;
  const low = text.charCodeAt(unit + 1);
  return low >= 0xdc00 && low < 0xe000;
}

/** Where the character number `place` begins; the end of the text for the one behind the last, -1 for others. */
function unitAt(text: string, place: bigint): number {
  if (place < 0n || place > BigInt(text.length)) return -1;
  let left = Number(place);
  let unit = 0;
  for (; left > 0 && unit < text.length; left--) unit += isPair(text, unit) ? 2 : 1;
  return left > 0 ? -1 : unit;
}

const OUTSIDE = new Failure('a place is outside the text');

function charAt(text: string, place: bigint): Result {
  const unit = unitAt(text, place);
  return unit < 0 ? OUTSIDE : text.slice(unit, unit + (isPair(text, unit) ? 2 : 1));
}

function substring(text: string, start: bigint, end: bigint): Result {
  const [from, to] = [unitAt(text, start), unitAt(text, end)];
  return from < 0 || to < from ? OUTSIDE : text.slice(from, to);
}

function tail(text: string, start: bigint): Result {
  const from = unitAt(text, start);
  return from < 0 ? OUTSIDE : text.slice(from);
}

function placeOf(text: string, unit: number): bigint {
  return unit < 0 ? -1n : BigInt(length(text, unit));
}

function searchFrom(text: string, place: bigint, search: (unit: number) => number): Result {
  const unit = unitAt(text, place);
  return unit < 0 || unit >= text.length ? OUTSIDE : placeOf(text, search(unit));
}

/** At most `most` pieces, the last with all that is left (as Go's SplitN); all of them when it is negative. */
function split(text: string, separator: string, most = -1n): Result {
  const pieces = separator === '' ? Array.from(text) : text.split(separator);
  if (most < 0n || most >= BigInt(pieces.length)) return listOfStrings(pieces);
  const whole = Number(most) - 1;
  if (whole < 0) return listOfStrings([]);
  return listOfStrings([...pieces.slice(0, whole), pieces.slice(whole).join(separator)]);
}

export const STRING_FUNCTIONS: readonly FunctionDef[] = [
  define('method', 'charAt', ['string', 'int'], 'string', (_, text, place) => charAt(text, place)),
  define('method', 'substring', ['string', 'int'], 'string', (_, text, start) => tail(text, start)),
  define('method', 'substring', ['string', 'int', 'int'], 'string', (_, text, start, end) =>
    substring(text, start, end),
  ),
  define('method', 'indexOf', ['string', 'string'], 'int', (_, text, part) => placeOf(text, text.indexOf(part))),
  define('method', 'indexOf', ['string', 'string', 'int'], 'int', (_, text, part, place) =>
    searchFrom(text, place, (unit) => text.indexOf(part, unit)),
  ),
  define('method', 'lastIndexOf', ['string', 'string'], 'int', (_, text, part) =>
    placeOf(text, text.lastIndexOf(part)),
  ),
  define('method', 'lastIndexOf', ['string', 'string', 'int'], 'int', (_, text, part, place) =>
    searchFrom(text, place, (unit) => text.lastIndexOf(part, unit)),
  ),
  giving(
    STRINGS,
    define('method', 'split', ['string', 'string'], 'list', (_, text, separator) => split(text, separator)),
  ),
  giving(
    STRINGS,
    define('method', 'split', ['string', 'string', 'int'], 'list', (_, text, separator, most) =>
      split(text, separator, most),
    ),
  ),
];
