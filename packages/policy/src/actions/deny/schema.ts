/** traffic-policy.md §4 deny */
import * as z from 'zod/mini';
import { httpStatus, withDefault } from '../../schema/fields.ts';
import { describeAction } from '../descriptor.ts';

export const denySchema = z.strictObject({ status_code: withDefault(httpStatus, 403) });

export const denyAction = describeAction({
  type: 'deny',
  phases: ['on_tcp_connect', 'on_http_request'],
  resultKey: 'deny',
  config: () => denySchema,
});
