/**
 * The kinds of fields that action configs are made of. Values of YAML and of old agents arrive as strings, numbers or
 * booleans in each other's place (traffic-policy.md §1): they are coerced here. Browser-safe.
 */
import type { ErrorNumber } from '@postern/errors';
import * as z from 'zod/mini';

// oxlint-disable-next-line no-underscore-dangle -- the library's name for it
export const withDefault = z._default;

/** Text; any scalar counts as its text. */
export const text = z.pipe(
  z.transform((value: unknown) =>
    typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint' ? String(value) : value,
  ),
  z.string(),
);

export const flag = z.pipe(
  z.transform((value: unknown) => (value === 'true' ? true : value === 'false' ? false : value)),
  z.boolean(),
);

/** A whole number within bounds, also as text ("404") or as a float without fraction. */
export function whole(min: number, max: number) {
  return z.pipe(
    z.transform((value: unknown) => (typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value)),
    z
      .int()
      .check(
        verify((value: number) => (value < min || value > max ? { number: 2215, facts: { value, min, max } } : null)),
      ),
  );
}

/** A list; a single value stands for a list of it. */
export function listOf<T extends z.ZodMiniType>(item: T, min: number, max: number) {
  return z.pipe(
    z.transform((value: unknown) => (value === undefined || value === null || Array.isArray(value) ? value : [value])),
    z.array(item).check(z.minLength(min), z.maxLength(max)),
  );
}

export const httpStatus = whole(100, 599);

/** A published number and the words that its message needs, besides the path. */
export interface Problem {
  readonly number: ErrorNumber;
  readonly facts: Readonly<Record<string, string | number>>;
}

/** A check of our own: what it returns becomes that error, at the field's path. */
export function verify<T>(problem: (value: T) => Problem | null) {
  return z.check<T>(({ value, issues }) => {
    const found = problem(value);
    if (found !== null) issues.push({ code: 'custom', input: value, params: { problem: found } });
  });
}
