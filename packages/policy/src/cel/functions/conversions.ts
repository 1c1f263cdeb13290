/**
 * Texts that are numbers, and numbers that are times, as cel-go reads them. The library reads as JavaScript does: "" is 0
 * to it, "0x10" 16, "abc" no number but no error, and seconds since 1970 are milliseconds.
 */
import { celUint } from '@bufbuild/cel';
import { MAX_READ, NOT_READ } from '../limits.ts';
import { Failure, timestamp, type Result } from '../value.ts';
import { define, type FunctionDef } from './definition.ts';

const INT64 = 2n ** 63n;
const UINT64 = 2n ** 64n;

const NO_INT = new Failure('the text is no whole number of 64 bits');
const NO_UINT = new Failure('the text is no whole number of 64 bits without a sign');
const NO_DOUBLE = new Failure('the text is no number');
const NO_TIME = new Failure('the seconds are outside the years 1 to 9999');

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
  if (text.length > MAX_READ) return NOT_READ;
  if (!WHOLE.test(text)) return NO_INT;
  const value = text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text.replace('+', ''));
  return value >= -INT64 && value < INT64 ? value : NO_INT;
}

function toUint(text: string): Result {
  if (text.length > MAX_READ) return NOT_READ;
  if (!UNSIGNED.test(text)) return NO_UINT;
  const value = BigInt(text);
  return value < UINT64 ? celUint(value) : NO_UINT;
}

function toDouble(text: string): Result {
  if (text.length > MAX_READ) return NOT_READ;
  if (!DECIMAL.test(text)) return NO_NUMBERS[text.toLowerCase()] ?? NO_DOUBLE;
  const value = Number(text);
  return Number.isFinite(value) ? value : NO_DOUBLE;
}

/** Seconds since 1970, what `exp` and `nbf` of tokens are. */
function toTime(seconds: bigint): Result {
  const inYears = seconds >= -62_135_596_800n && seconds <= 253_402_300_799n;
  return inYears ? timestamp(Number(seconds) * 1000) : NO_TIME;
}

export const CONVERSION_FUNCTIONS: readonly FunctionDef[] = [
  define('global', 'int', ['string'], 'int', (_, text) => toInt(text)),
  define('global', 'uint', ['string'], 'uint', (_, text) => toUint(text)),
  define('global', 'double', ['string'], 'double', (_, text) => toDouble(text)),
  define('global', 'timestamp', ['int'], 'timestamp', (_, seconds) => toTime(seconds)),
];
