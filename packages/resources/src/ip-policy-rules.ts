import { cidrCheck } from './model/cidr.ts';
import { CREATED_AT, description, ID, metadata, URI } from './model/common.ts';
import { id, ref, text } from './model/field.ts';
import { plain } from './model/row.ts';

const ACTIONS = ['allow', 'deny'];

/** Networks of IP policies. */
export const ipPolicyRules = plain({
  name: 'ip_policy_rules',
  title: 'IP policy rule',
  doc: 'A network that an IP policy allows or denies. It goes with its policy.',
  path: '/ip_policy_rules',
  listKey: 'ip_policy_rules',
  idPrefixes: ['ipr'],
  verbs: ['list', 'create', 'get', 'update', 'delete'],
  filter: {},
  rows: { beside: {}, unique: [{ fields: ['ipPolicyId', 'cidr'], error: 1408 }] },
  emptyUpdate: 1401,
  fields: {
    id: ID,
    uri: URI,
    created_at: CREATED_AT,
    description: description(1421, 'kept'),
    metadata: metadata(90079),
    cidr: text('The network, as it was given: 192.0.2.0/24, 2001:db8::/32.', {
      in: 'both',
      needed: 1405,
      check: cidrCheck({ invalid: 1406, noMask: 1413, hostBits: 1409 }),
    }),
    ip_policy: ref('The policy that it belongs to.', { to: '/ip_policies', link: { unknown: 1414, goesWith: true } }),
    ip_policy_id: id('Id of the policy.', { in: 'create', out: 'never', needed: 1405 }),
    action: text('allow or deny.', {
      in: 'create',
      needed: 1422,
      check: (action) => (ACTIONS.includes(action) ? null : { error: 1422, params: {} }),
    }),
  },
});
