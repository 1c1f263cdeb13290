/** traffic-policy.md §4 close-connection: nothing to configure */
import * as z from 'zod/mini';
import { describeAction } from '../descriptor.ts';

export const closeConnectionSchema = z.strictObject({});

export const closeConnectionAction = describeAction({
  type: 'close-connection',
  phases: ['on_tcp_connect', 'on_http_request'],
  resultKey: 'close_connection',
  config: () => closeConnectionSchema,
});
