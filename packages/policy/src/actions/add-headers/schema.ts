/** traffic-policy.md §4 add-headers */
import * as z from 'zod/mini';
import { FRAMING_HEADERS, headerValues } from '../../schema/headers.ts';
import { describeAction } from '../descriptor.ts';

const REQUEST = new Set([...FRAMING_HEADERS, 'user-agent', 'ngrok-skip-browser-warning']);
/** The error header is ours alone, so that it can be trusted. */
const RESPONSE = new Set([...REQUEST, 'ngrok-error-code']);

export const addHeadersSchema = {
  on_http_request: z.strictObject({ headers: headerValues(REQUEST, 1) }),
  on_http_response: z.strictObject({ headers: headerValues(RESPONSE, 1) }),
};

export const addHeadersAction = describeAction({
  type: 'add-headers',
  phases: ['on_http_request', 'on_http_response'],
  place: { behind: 2 },
  resultKey: 'add_headers',
  config: (phase) => addHeadersSchema[phase === 'on_http_response' ? phase : 'on_http_request'],
});
