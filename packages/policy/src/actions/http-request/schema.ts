/** traffic-policy.md §4 http-request */
import * as z from 'zod/mini';
import { duration } from '../../schema/duration.ts';
import { listOf, text, verify, whole, withDefault } from '../../schema/fields.ts';
import { FRAMING_HEADERS, headerValues } from '../../schema/headers.ts';
import { describeAction } from '../descriptor.ts';

const MAX_URL = 2048;
const MAX_PARAMETERS = 32;
const MAX_KEY = 128;
const MAX_VALUE = 8192;

/** `host` is what the url says, and nobody is there to wait for a 100. */
const REFUSED_HEADERS: ReadonlySet<string> = new Set([...FRAMING_HEADERS, 'expect', 'host']);

/** As written: what an expression gives may be longer. */
function noLongerThan(max: number, number: 2245 | 2246) {
  return verify((value: string) => (value.length > max ? { number, facts: { length: value.length, max } } : null));
}

const parameter = z.strictObject({
  key: text.check(z.minLength(1), noLongerThan(MAX_KEY, 2245)),
  value: text.check(noLongerThan(MAX_VALUE, 2246)),
});

const parameters = listOf(parameter, 0, 1000).check(
  verify((list: readonly unknown[]) =>
    list.length > MAX_PARAMETERS ? { number: 2244, facts: { count: list.length, max: MAX_PARAMETERS } } : null,
  ),
);

export const httpRequestSchema = z.strictObject({
  url: text.check(z.minLength(1), z.maxLength(MAX_URL)),
  method: withDefault(z.enum(['GET', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS']), 'GET'),
  query_params: z.optional(parameters),
  headers: z.optional(headerValues(REFUSED_HEADERS, 0)),
  body: z.optional(text),
  max_redirects: withDefault(whole(0, 100), 0),
  /** For all tries and redirects together. */
  timeout: withDefault(duration(1_000, 30_000), 3_000),
  /** A bare condition: compile.ts. */
  retry_condition: z.optional(text),
  on_error: withDefault(z.enum(['continue', 'halt']), 'continue'),
});

export const httpRequestAction = describeAction({
  type: 'http-request',
  phases: ['on_http_request', 'on_http_response'],
  resultKey: 'http_request',
  config: () => httpRequestSchema,
});
