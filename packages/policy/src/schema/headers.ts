/** Header names and values in configs (traffic-policy.md §4, §9.1: 2208–2213, 2219). Browser-safe. */
import * as z from 'zod/mini';
import { hasExpression } from '../interpolation/scan.ts';
import { text, verify, type Problem } from './fields.ts';
import { printable } from './printable.ts';

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// oxlint-disable-next-line no-control-regex -- these are the characters that a value may not have
const BAD_VALUE = /[\u0000-\u0008\u000a-\u001f\u007f]/;
const MAX_NAME = 1024;
const MAX_VALUE = 8192;
const MAX_HEADERS = 10;

/** They decide where a message ends, or how long the connection lives: a policy that changed them would break both. */
export const FRAMING_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Anything but control characters: what is not ASCII goes out as UTF-8. */
export function isHeaderValue(value: string): boolean {
  return !BAD_VALUE.test(value);
}

export function isHeaderName(name: string): boolean {
  return TOKEN.test(name);
}

/** One header name that is none of `refused` (lower case). */
export function headerName(refused: ReadonlySet<string>) {
  return text.check(verify((name: string) => nameProblem(name, refused)));
}

/** Name → value with `${…}`, at least `min` and at most 10. */
export function headerValues(refused: ReadonlySet<string>, min: number) {
  return z.record(z.string(), text).check(
    verify((headers: Record<string, string>): Problem | null => {
      const entries = Object.entries(headers);
      if (entries.length < min) return { number: 2223, facts: {} };
      if (entries.length > MAX_HEADERS) return { number: 2212, facts: { count: entries.length, max: MAX_HEADERS } };
      for (const [name, value] of entries) {
        const problem = nameProblem(name, refused) ?? valueProblem(name, value);
        if (problem !== null) return problem;
      }
      return null;
    }),
  );
}

function nameProblem(name: string, refused: ReadonlySet<string>): Problem | null {
  if (name.length > MAX_NAME) return { number: 2208, facts: { length: name.length, max: MAX_NAME } };
  if (!isHeaderName(name)) return { number: 2210, facts: { name: printable(name) } };
  return refused.has(name.toLowerCase()) ? { number: 2219, facts: { name } } : null;
}

/** What an expression gives is checked when it is known. */
function valueProblem(name: string, value: string): Problem | null {
  if (value.length > MAX_VALUE) return { number: 2209, facts: { name, length: value.length, max: MAX_VALUE } };
  return hasExpression(value) || isHeaderValue(value) ? null : { number: 2211, facts: { name } };
}
