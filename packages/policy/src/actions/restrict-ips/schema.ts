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

const MAX_POLICIES = 64;

/** Whether the account has it is for whoever stores the policy to say. */
const reference = text.check(
  verify((id: string) => (/^ipp_[A-Za-z0-9]{1,64}$/.test(id) ? null : { number: 2216, facts: { id: printable(id) } })),
);

export const restrictIpsSchema = z.strictObject({
  enforce: withDefault(flag, true),
  allow: z.optional(listOf(range, 0, MAX_RANGES)),
  deny: z.optional(listOf(range, 0, MAX_RANGES)),
  ip_policies: z.optional(listOf(reference, 0, MAX_POLICIES)),
});

export const restrictIpsAction = describeAction({
  type: 'restrict-ips',
  phases: ['on_tcp_connect', 'on_http_request', 'on_http_response'],
  place: { before: 1 },
  resultKey: 'restrict_ips',
  references: { ip_policies: 'ip-policy' },
  config: () => restrictIpsSchema,
});
