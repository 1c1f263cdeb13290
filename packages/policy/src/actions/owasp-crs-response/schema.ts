/** traffic-policy.md §4 owasp-crs-response: configured as owasp-crs-request is. */
import { describeAction } from '../descriptor.ts';
import { owaspCrsSchema } from '../owasp-crs-request/schema.ts';

export const owaspCrsResponseAction = describeAction({
  type: 'owasp-crs-response',
  phases: ['on_http_response'],
  resultKey: 'owasp_crs_response',
  config: () => owaspCrsSchema,
});
