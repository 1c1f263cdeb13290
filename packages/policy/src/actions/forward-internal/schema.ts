/** traffic-policy.md §4 forward-internal */
import * as z from 'zod/mini';
import { text, withDefault } from '../../schema/fields.ts';
import { describeAction } from '../descriptor.ts';

export const forwardInternalSchema = z.strictObject({
  url: text.check(z.minLength(1), z.maxLength(2048)),
  on_error: withDefault(z.enum(['halt', 'continue']), 'halt'),
  /** Undocumented; samples write `internal`, which is what a target is anyway. */
  binding: z.optional(z.enum(['internal'])),
});

export const forwardInternalAction = describeAction({
  type: 'forward-internal',
  phases: ['on_tcp_connect', 'on_http_request'],
  resultKey: 'forward_internal',
  config: () => forwardInternalSchema,
});
