/** traffic-policy.md §4 restrict-ips */
import * as z from 'zod/mini';
import { hasExpression } from '../../interpolation/scan.ts';
import { parseCidr } from '../../net/cidr.ts';
import { flag, listOf, text, verify, withDefault } from '../../schema/fields.ts';
import { printable } from '../../schema/printable.ts';
import { describeAction } from '../descriptor.ts';

const MAX_RANGES = 5000;

const range = text.check(
  verify((cidr: string) =>
    hasExpression(cidr) || parseCidr(cidr) !== null ? null : { number: 2217, facts: { cidr: printable(cidr) } },
  ),
);

/** IP policies are kept (`/ip_policies`), but the edge does not have them yet: whatever is named is refused. */
const reference = text.check(verify((id: string) => ({ number: 2216, facts: { id: printable(id) } })));

export const restrictIpsSchema = z.strictObject({
  enforce: withDefault(flag, true),
  allow: z.optional(listOf(range, 0, MAX_RANGES)),
  deny: z.optional(listOf(range, 0, MAX_RANGES)),
  ip_policies: z.optional(listOf(reference, 0, MAX_RANGES)),
});

export const restrictIpsAction = describeAction({
  type: 'restrict-ips',
  phases: ['on_tcp_connect', 'on_http_request', 'on_http_response'],
  place: { before: 1 },
  resultKey: 'restrict_ips',
  config: () => restrictIpsSchema,
});
