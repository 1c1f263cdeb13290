/** traffic-policy.md §4 custom-response */
import * as z from 'zod/mini';
import { text, whole, withDefault } from '../../schema/fields.ts';
import { FRAMING_HEADERS, headerValues } from '../../schema/headers.ts';
import { describeAction } from '../descriptor.ts';

export const customResponseSchema = z.strictObject({
  status_code: withDefault(whole(100, 599), 200),
  body: z.optional(text),
  /** The older name of `body`, as common as the new one. */
  content: z.optional(text),
  headers: z.optional(headerValues(FRAMING_HEADERS, 0)),
});

export const customResponseAction = describeAction({
  type: 'custom-response',
  phases: ['on_http_request', 'on_http_response'],
  resultKey: 'custom_response',
  config: () => customResponseSchema,
});
