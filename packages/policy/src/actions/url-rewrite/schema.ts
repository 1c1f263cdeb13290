/** traffic-policy.md §4 url-rewrite */
import * as z from 'zod/mini';
import { text } from '../../schema/fields.ts';
import { describeAction } from '../descriptor.ts';

const MAX_TARGET = 8192;

export const urlRewriteSchema = z.strictObject({
  from: z.optional(text.check(z.minLength(1))),
  /** Empty beside `from`: what matches is taken out. */
  to: text.check(z.maxLength(MAX_TARGET)),
});

export const urlRewriteAction = describeAction({
  type: 'url-rewrite',
  phases: ['on_http_request'],
  resultKey: 'url_rewrite',
  config: () => urlRewriteSchema,
});
