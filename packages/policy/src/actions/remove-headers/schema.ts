/** traffic-policy.md §4 remove-headers */
import * as z from 'zod/mini';
import { listOf } from '../../schema/fields.ts';
import { FRAMING_HEADERS, headerName } from '../../schema/headers.ts';
import { describeAction } from '../descriptor.ts';

/** A request without host is no request. */
const REQUEST = new Set([...FRAMING_HEADERS, 'user-agent', 'host']);
const RESPONSE = new Set([...FRAMING_HEADERS, 'user-agent', 'ngrok-error-code']);

export const removeHeadersSchema = {
  on_http_request: z.strictObject({ headers: listOf(headerName(REQUEST), 1, 10) }),
  on_http_response: z.strictObject({ headers: listOf(headerName(RESPONSE), 1, 10) }),
};

export const removeHeadersAction = describeAction({
  type: 'remove-headers',
  phases: ['on_http_request', 'on_http_response'],
  place: { behind: 1 },
  resultKey: 'remove_headers',
  config: (phase) => removeHeadersSchema[phase === 'on_http_response' ? phase : 'on_http_request'],
});
