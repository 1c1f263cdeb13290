/** traffic-policy.md §4 response-body-find-replace */
import * as z from 'zod/mini';
import { listOf } from '../../schema/fields.ts';
import { describeAction } from '../descriptor.ts';
import { findReplaceFields, MOST_REPLACEMENTS } from '../find-replace-fields.ts';

export const responseBodyFindReplaceSchema = z.strictObject({
  replacements: listOf(z.strictObject(findReplaceFields), 1, MOST_REPLACEMENTS),
});

export const responseBodyFindReplaceAction = describeAction({
  type: 'response-body-find-replace',
  phases: ['on_http_response'],
  resultKey: 'response_body_find_replace',
  config: () => responseBodyFindReplaceSchema,
});
