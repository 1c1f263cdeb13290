/** traffic-policy.md §4 log */
import * as z from 'zod/mini';
import { verify, type Problem } from '../../schema/fields.ts';
import { describeAction } from '../descriptor.ts';

const MAX_ENTRIES = 100;
const MAX_NAME = 1024;

export const logSchema = z.strictObject({
  metadata: z.record(z.string(), z.unknown()).check(
    verify((metadata: Record<string, unknown>): Problem | null => {
      const names = Object.keys(metadata);
      if (names.length > MAX_ENTRIES) return { number: 2218, facts: { count: names.length, max: MAX_ENTRIES } };
      const long = names.find((name) => name.length > MAX_NAME);
      return long === undefined ? null : { number: 2221, facts: { length: long.length, max: MAX_NAME } };
    }),
  ),
});

export const logAction = describeAction({
  type: 'log',
  phases: ['on_tcp_connect', 'on_http_request', 'on_http_response'],
  resultKey: 'log',
  config: () => logSchema,
});
