/** traffic-policy.md §4 owasp-crs-request */
import * as z from 'zod/mini';
import { flag, listOf, whole, withDefault } from '../../schema/fields.ts';
import { describeAction } from '../descriptor.ts';

/** Ids of the Core Rule Set. */
const ruleId = whole(900_000, 999_999);

export const owaspCrsSchema = z.strictObject({
  on_error: withDefault(z.enum(['halt', 'continue']), 'halt'),
  process_body: withDefault(flag, false),
  exclude_rule_ids: z.optional(listOf(ruleId, 0, 1_000)),
});

export const owaspCrsRequestAction = describeAction({
  type: 'owasp-crs-request',
  phases: ['on_http_request'],
  resultKey: 'owasp_crs_request',
  config: () => owaspCrsSchema,
});
