/** traffic-policy.md §4 circuit-breaker */
import * as z from 'zod/mini';
import { duration } from '../../schema/duration.ts';
import { flag, verify, whole, withDefault } from '../../schema/fields.ts';
import { describeAction } from '../descriptor.ts';

const SECOND_MS = 1_000;
const TWO_MINUTES_MS = 120_000;

/** The window is counted in this many slices; it can be written, and is always the same. */
export const SLICES = 10;

const ratio = z.pipe(
  z.transform((value: unknown) =>
    typeof value === 'string' && /^\d{1,9}(?:\.\d{1,9})?$/.test(value) ? Number(value) : value,
  ),
  z
    .number()
    .check(
      verify((value: number) => (value < 0 || value > 1 ? { number: 2215, facts: { value, min: 0, max: 1 } } : null)),
    ),
);

export const circuitBreakerSchema = z.strictObject({
  /** Share of requests that failed. */
  error_threshold: ratio,
  volume_threshold: withDefault(whole(1, 2_000_000_000), 10),
  window_duration: withDefault(duration(SECOND_MS, TWO_MINUTES_MS), 10 * SECOND_MS),
  tripped_duration: withDefault(duration(SECOND_MS, TWO_MINUTES_MS), 10 * SECOND_MS),
  num_buckets: withDefault(whole(SLICES, SLICES), SLICES),
  enforce: withDefault(flag, true),
});

export const circuitBreakerAction = describeAction({
  type: 'circuit-breaker',
  phases: ['on_http_request'],
  resultKey: 'circuit_breaker',
  place: { before: 3 },
  config: () => circuitBreakerSchema,
});
