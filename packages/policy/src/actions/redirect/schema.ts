/** traffic-policy.md §4 redirect */
import * as z from 'zod/mini';
import { text, whole, withDefault } from '../../schema/fields.ts';
import { FRAMING_HEADERS, headerValues } from '../../schema/headers.ts';
import { describeAction } from '../descriptor.ts';

/** Where to go is said by `to`. */
const REFUSED = new Set([...FRAMING_HEADERS, 'location']);
const MAX_TARGET = 8192;

export const redirectSchema = z.strictObject({
  from: z.optional(text.check(z.minLength(1))),
  /** Empty beside `from`: what matches is taken out. */
  to: text.check(z.maxLength(MAX_TARGET)),
  status_code: withDefault(whole(300, 399), 302),
  headers: z.optional(headerValues(REFUSED, 0)),
});

export const redirectAction = describeAction({
  type: 'redirect',
  phases: ['on_http_request'],
  resultKey: 'redirect',
  config: () => redirectSchema,
});
