/** traffic-policy.md §4 terminate-tls */
import * as z from 'zod/mini';
import { listOf, text, withDefault } from '../../schema/fields.ts';
import { describeAction } from '../descriptor.ts';

/** Characters of one PEM text; a chain of five large RSA certificates has 12,000. */
export const MAX_PEM = 64 * 1024;
const version = z.pipe(text, z.enum(['1.2', '1.3']));

export const terminateTlsSchema = z.strictObject({
  min_version: withDefault(version, '1.2'),
  max_version: withDefault(version, '1.3'),
  server_private_key: z.optional(text.check(z.maxLength(MAX_PEM))),
  server_certificate: z.optional(text.check(z.maxLength(MAX_PEM))),
  mutual_tls_certificate_authorities: z.optional(listOf(text.check(z.maxLength(MAX_PEM)), 0, 10)),
  mutual_tls_verification_strategy: z.optional(z.enum(['require-and-verify', 'require-any', 'request'])),
});

export const terminateTlsAction = describeAction({
  type: 'terminate-tls',
  phases: ['on_tcp_connect'],
  protocols: ['https', 'tls'],
  place: { before: 2 },
  resultKey: 'terminate_tls',
  references: { mutual_tls_certificate_authorities: 'certificate-authority' },
  config: () => terminateTlsSchema,
});
