/**
 * Texts that are numbers or times, and the other way round, as cel-go has them. The library reads as JavaScript does: "" is
 * 0 to it, "0x10" 16, "abc" no number but no error, seconds since 1970 are milliseconds, and February 30 is in March.
 */
import { celUint } from '@bufbuild/cel';
import { libraryOperation } from '../library.ts';
import { MAX_READ, NOT_READ } from '../limits.ts';
import { Failure, timestamp, type Result } from '../value.ts';
import { byLibrary, define, type FunctionDef } from './definition.ts';

const INT64 = 2n ** 63n;
const UINT64 = 2n ** 64n;

const NO_INT = new Failure('the text is no whole number of 64 bits');
const NO_UINT = new Failure('the text is no whole number of 64 bits without a sign');
const NO_DOUBLE = new Failure('the text is no number');
const NO_TIME = new Failure('the seconds are outside the years 1 to 9999');

const NO_BOOL = new Failure('the text is neither true nor false');
const NO_DURATION = new Failure('the text is no duration');
const NO_DATE = new Failure('the text is no time of the calendar (RFC 3339)');

const WHOLE = /^[+-]?\d+$/;
const UNSIGNED = /^\d+$/;
const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const NO_NUMBERS: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Infinity,
  '+inf': Infinity,
  '-inf': -Infinity,
  infinity: Infinity,
  '+infinity': Infinity,
  '-infinity': -Infinity,
};

function toInt(text: string): Result {
  if (!WHOLE.test(text)) return NO_INT;
  const value = text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text.replace('+', ''));
  return value >= -INT64 && value < INT64 ? value : NO_INT;
}

function toUint(text: string): Result {
  if (!UNSIGNED.test(text)) return NO_UINT;
  const value = BigInt(text);
  return value < UINT64 ? celUint(value) : NO_UINT;
}

function toDouble(text: string): Result {
  if (!DECIMAL.test(text)) return NO_NUMBERS[text.toLowerCase()] ?? NO_DOUBLE;
  const value = Number(text);
  return Number.isFinite(value) ? value : NO_DOUBLE;
}

/** Seconds since 1970, what `exp` and `nbf` of tokens are. */
function toTime(seconds: bigint): Result {
  const inYears = seconds >= -62_135_596_800n && seconds <= 253_402_300_799n;
  return inYears ? timestamp(Number(seconds) * 1000) : NO_TIME;
}

/** What Go's strconv.ParseBool takes. */
const BOOLS: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'true', 'TRUE', 'True'].map((text) => [text, true] as const),
  ...['0', 'f', 'F', 'false', 'FALSE', 'False'].map((text) => [text, false] as const),
]);

/** Go's `%g`: of more than six digits before the point, or four zeros behind it, with an exponent. */
function textOf(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (Object.is(value, -0)) return '-0';
  const [digits = '', exponent = ''] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

const readTime = libraryOperation('timestamp(a)');
const readDuration = libraryOperation('duration(a)');
const writeTime = libraryOperation('string(a)');

/** A day that the calendar does not have is written as another one, an hour 24 read as the next day's first. */
function timeIn(text: string): Result {
  const day = text.slice(0, 10);
  const date = new Date(day);
  const isDay = !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
  return isDay && !text.startsWith('24', 11) ? readTime(text) : NO_DATE;
}

/** Without the zeros that end a fraction: `1.5s`, `2026-02-28T10:00:00.5Z`. */
function shortest(written: Result): Result {
  if (typeof written !== 'string' || !written.includes('.')) return written;
  const unit = written.length - 1;
  let end = unit;
  while (written[end - 1] === '0') end -= 1;
  if (written[end - 1] === '.') end -= 1;
  return written.slice(0, end) + written.slice(unit);
}

/** What reads a short text. */
const reading = (name: 'int' | 'uint' | 'double' | 'bool' | 'timestamp' | 'duration', read: (text: string) => Result) =>
  define('global', name, ['string'], name, (_, text) => (text.length > MAX_READ ? NOT_READ : read(text)));

export const CONVERSION_FUNCTIONS: readonly FunctionDef[] = [
  reading('int', toInt),
  reading('uint', toUint),
  reading('double', toDouble),
  reading('bool', (text) => BOOLS.get(text) ?? NO_BOOL),
  byLibrary(reading('timestamp', timeIn)),
  byLibrary(reading('duration', (text) => (text === '' ? NO_DURATION : readDuration(text)))),
  define('global', 'timestamp', ['int'], 'timestamp', (_, seconds) => toTime(seconds)),
  define('global', 'string', ['double'], 'string', (_, value) => textOf(value)),
  byLibrary(define('global', 'string', ['timestamp'], 'string', (_, time) => shortest(writeTime(time)))),
  byLibrary(define('global', 'string', ['duration'], 'string', (_, time) => shortest(writeTime(time)))),
];
