/** traffic-policy.md §4 request-body-find-replace */
import * as z from 'zod/mini';
import { listOf } from '../../schema/fields.ts';
import { describeAction } from '../descriptor.ts';
import { findReplaceFields, MOST_REPLACEMENTS } from '../find-replace-fields.ts';

export const requestBodyFindReplaceSchema = z.strictObject({
  replacements: listOf(z.strictObject(findReplaceFields), 1, MOST_REPLACEMENTS),
});

export const requestBodyFindReplaceAction = describeAction({
  type: 'request-body-find-replace',
  phases: ['on_http_request'],
  resultKey: 'request_body_find_replace',
  config: () => requestBodyFindReplaceSchema,
});
