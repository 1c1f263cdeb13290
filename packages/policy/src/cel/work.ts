/**
 * What evaluation costs. Every operation takes units from the budget of its phase, by the size of what it works on, before
 * it runs; a unit is about ten nanoseconds of one core, so that a phase can hold up the thread that serves everybody for
 * some milliseconds at most, whatever its policy is made of. A phase whose budget is gone ends with an error (runner.ts):
 * operations may stop half-way then, since nobody reads what they give.
 */
import { isCelList, isCelMap } from '@bufbuild/cel';
import type { Value } from './value.ts';

export interface Budgeted {
  budget: number;
}

/** Of one phase of one exchange. */
export const BUDGET = 500_000;

/** Of all phases together, over however many endpoints a request is forwarded. */
export const REQUEST_BUDGET = 2 * BUDGET;

/** What searches through the bodies of one request may cost: some fourteen passes through the largest, half a second. */
export const REQUEST_EFFORT = 60_000_000;

/** One step of a comprehension, besides what is in its body. */
export const STEP = 4;
/** The CEL library's own evaluator, once. */
export const LIBRARY_CALL = 300;

/** @returns whether there was enough left */
export function spend(scope: Budgeted, units: number): boolean {
  scope.budget -= units;
  return scope.budget >= 0;
}

/** Runs what nobody can tell the cost of, and takes from the budget what this thread spent on it. */
export function measured<T>(scope: Budgeted, run: () => T): T {
  const before = process.threadCpuUsage();
  const result = run();
  const { user, system } = process.threadCpuUsage(before);
  // Microseconds; a quarter of it, because what is new to the engine takes several times what it takes later.
  scope.budget -= 100 + (user + system) * 25;
  return result;
}

/** Characters, bytes or items; 1 for what has no size. */
export function sizeOf(value: Value): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return value.length;
  return isCelList(value) || isCelMap(value) ? value.size : 1;
}

/** Units of 10 ns: for a call, and for each character, byte or item of its arguments. */
export interface Price {
  readonly base: number;
  readonly each: number;
}

const OURS: Price = { base: 5, each: 1 };
const LIBRARY: Price = { base: LIBRARY_CALL, each: 15 };

/** Measured at 2,000 to 20,000 characters of the worst kinds, and rounded up. */
const PRICES: Readonly<Record<string, Price>> = {
  startsWith: { base: 3, each: 1 / 64 },
  endsWith: { base: 3, each: 1 / 64 },
  contains: { base: 3, each: 1 / 16 },
  size: { base: 2, each: 1 / 2 },
  lower: { base: 3, each: 1 },
  upper: { base: 3, each: 1 },
  replace: { base: 10, each: 5 },
  reverse: { base: 10, each: 6 },
  split: { base: 20, each: 5 },
  join: { base: 5, each: 5 },
  slice: { base: 5, each: 5 },
  'lists.range': { base: 5, each: 1 },
  'json.decode': { base: 20, each: 5 },
  decodeJson: { base: 20, each: 5 },
  isJson: { base: 20, each: 5 },
  'url.escape': { base: 20, each: 4 },
  escapeUrl: { base: 20, each: 4 },
  'url.unescape': { base: 20, each: 5 },
  unescapeUrl: { base: 20, each: 5 },
  'url.parse': { base: 300, each: 10 },
  parseUrl: { base: 300, each: 10 },
  isURL: { base: 100, each: 5 },
  'queryString.decode': { base: 50, each: 12 },
  decodeQueryString: { base: 50, each: 12 },
  'queryString.encode': { base: 300, each: 60 },
  encodeQueryString: { base: 300, each: 60 },
  inCidrRange: { base: 60, each: 1 },
  inCidrRanges: { base: 60, each: 100 },
  crc64: { base: 20, each: 35 },
  'hash.crc64': { base: 20, each: 35 },
  xxhash64: { base: 50, each: 10 },
  'hash.xxhash64': { base: 50, each: 10 },
};

const HASHES = /^(?:hash\.)?(?:md5|sha1|sha256|sha512)$/;

/** What a function costs, by its name and the kinds that it takes. */
export function priceOf(name: string, args: readonly string[], ofLibrary: boolean): Price {
  if (HASHES.test(name)) return { base: 300, each: 1 };
  // With a time zone: the calendar of the platform is made for each call.
  if (ofLibrary && args[0] === 'timestamp' && args.length > 1) return { base: 10_000, each: 15 };
  if (ofLibrary) return LIBRARY;
  return PRICES[name] ?? OURS;
}
