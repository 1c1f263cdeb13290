/** traffic-policy.md §4 rate-limit */
import * as z from 'zod/mini';
import { duration } from '../../schema/duration.ts';
import { flag, listOf, text, verify, whole, withDefault } from '../../schema/fields.ts';
import { printable } from '../../schema/printable.ts';
import { describeAction } from '../descriptor.ts';

/** What `rate` is a multiple of. */
export const RATE_STEP_MS = 10_000;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

const algorithm = text.check(
  verify((value: string) =>
    value === 'sliding_window' ? null : { number: 2222, facts: { value: printable(value), allowed: 'sliding_window' } },
  ),
);

export const rateLimitSchema = z.strictObject({
  name: text.check(z.minLength(1), z.maxLength(1023)),
  enforce: withDefault(flag, true),
  algorithm,
  capacity: whole(1, 2_000_000_000),
  rate: duration(MINUTE_MS, DAY_MS, RATE_STEP_MS),
  /** Bare expressions: compile.ts. */
  bucket_key: listOf(text, 1, 10),
});

export const rateLimitAction = describeAction({
  type: 'rate-limit',
  phases: ['on_http_request'],
  resultKey: 'rate_limit',
  config: () => rateLimitSchema,
});
