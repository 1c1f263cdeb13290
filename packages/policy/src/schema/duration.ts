/** Durations as Go writes them (traffic-policy.md §1): `90s`, `1h30m`, or nanoseconds as a number. Browser-safe. */
import * as z from 'zod/mini';
import type { Problem } from './fields.ts';

/** In nanoseconds. */
const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  // Two characters look like this: the micro sign and the Greek letter.
  '\u00b5s': 1e3,
  '\u03bcs': 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
const PART = /(\d{1,15}(?:\.\d{0,15})?|\.\d{1,15})(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/g;
const DURATION = /^(?:(?:\d{1,15}(?:\.\d{0,15})?|\.\d{1,15})(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h)){1,16}$/;

/** @returns milliseconds; null when it is no duration */
export function readDuration(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value / 1e6 : null;
  if (typeof value === 'bigint') return Number(value) / 1e6;
  if (typeof value !== 'string') return null;
  if (/^\d{1,18}$/.test(value)) return Number(value) / 1e6;
  if (!DURATION.test(value)) return null;
  let nanoseconds = 0;
  for (const [, count = '', unit = ''] of value.matchAll(PART)) {
    nanoseconds += Math.round(Number(count) * (UNITS[unit] ?? 0));
  }
  return nanoseconds / 1e6;
}

/** Milliseconds → what one would write. */
export function showDuration(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000}h`;
  return ms % 60_000 === 0 ? `${ms / 60_000}m` : `${ms / 1000}s`;
}

/** A duration of `min` to `max` in multiples of `step`; everything in milliseconds. */
export function duration(min: number, max: number, step = 1) {
  return z.transform((value: unknown, { issues }): number => {
    const ms = readDuration(value);
    if (value === undefined) issues.push({ code: 'invalid_type', expected: 'string', input: value });
    else {
      const problem = withoutUnit(value, ms, min) ?? durationProblem(ms, min, max, step);
      if (problem !== null) issues.push({ code: 'custom', input: value, params: { problem } });
    }
    return ms ?? 0;
  });
}

/** Nanoseconds as text are taken, but so few of them are seconds that somebody has left the unit out of. */
function withoutUnit(value: unknown, ms: number | null, min: number): Problem | null {
  if (typeof value !== 'string' || ms === null || ms >= min || !/^\d{1,9}$/.test(value)) return null;
  return { number: 2204, facts: { reason: `"${value}" is not a duration; write "${value}s"` } };
}

function durationProblem(ms: number | null, min: number, max: number, step: number): Problem | null {
  if (ms === null) {
    return { number: 2204, facts: { reason: 'a duration is written like 90s or 1h30m, or as nanoseconds' } };
  }
  const value = showDuration(ms);
  if (ms > max) return { number: 2225, facts: { value, max: showDuration(max) } };
  if (ms < min) return { number: 2215, facts: { value, min: showDuration(min), max: showDuration(max) } };
  if (ms % step === 0) return null;
  return { number: 2204, facts: { reason: `${value} is no multiple of ${showDuration(step)}` } };
}
