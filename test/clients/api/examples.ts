/** For each resource that is made by a call: a body with every field that clients can set, and a change of it. */
import { selfSigned } from '../../support/certificates.ts';
import type { World } from '../harness/world.ts';

export type Body = Readonly<Record<string, unknown>>;

export interface Example {
  /** What the contract calls it, and the tag that clients' services are named after. */
  readonly name: string;
  readonly tag: string;
  /** Answers the body; what it refers to is made first, by the API itself. */
  create(world: World): Promise<Body> | Body;
  readonly change: Body;
  /** Fields of the body that answers show otherwise, or not at all. */
  readonly unseen?: readonly string[];
}

const TEXTS = { description: 'what it is for', metadata: '{"made":"by a client"}' };
const CHANGED = { description: 'changed', metadata: 'changed, too' };
const POLICY = JSON.stringify({
  on_http_request: [{ actions: [{ type: 'custom-response', config: { status_code: 200, body: 'hello' } }] }],
});

let count = 0;
const fresh = (word: string): string => `${word}-${(count += 1)}`;

async function made(world: World, path: string, body: Body): Promise<string> {
  const answer = await world.api('POST', path, body);
  if (answer.status !== 201) throw new Error(`POST ${path}: ${answer.text}`);
  return answer.body.id;
}

export const EXAMPLES: readonly Example[] = [
  { name: 'api_keys', tag: 'APIKeys', create: () => TEXTS, change: CHANGED },
  {
    name: 'credentials',
    tag: 'Credentials',
    create: () => ({ ...TEXTS, acl: ['bind:*.example.com'] }),
    change: { ...CHANGED, acl: ['bind:a.example.com', 'bind:b.example.com'] },
  },
  {
    name: 'endpoints',
    tag: 'Endpoints',
    create: (world) => ({
      ...TEXTS,
      url: `https://${world.host()}`,
      type: 'cloud',
      traffic_policy: POLICY,
      bindings: ['public'],
      pooling_enabled: true,
    }),
    change: { ...CHANGED, traffic_policy: POLICY.replace('hello', 'goodbye') },
  },
  {
    name: 'reserved_domains',
    tag: 'ReservedDomains',
    create: (world) => ({ ...TEXTS, domain: world.host(), region: 'us' }),
    change: CHANGED,
  },
  { name: 'reserved_addrs', tag: 'ReservedAddrs', create: () => ({ ...TEXTS, region: 'us' }), change: CHANGED },
  { name: 'ip_policies', tag: 'IPPolicies', create: () => TEXTS, change: CHANGED },
  {
    name: 'ip_policy_rules',
    tag: 'IPPolicyRules',
    create: async (world) => ({
      ...TEXTS,
      cidr: '192.0.2.0/24',
      action: 'allow',
      ip_policy_id: await made(world, '/ip_policies', {}),
    }),
    change: { ...CHANGED, cidr: '198.51.100.0/24' },
    unseen: ['ip_policy_id'],
  },
  {
    name: 'certificate_authorities',
    tag: 'CertificateAuthorities',
    create: async (world) => ({ ...TEXTS, ca_pem: await world.authorityPem() }),
    change: CHANGED,
  },
  {
    name: 'tls_certificates',
    tag: 'TLSCertificates',
    create: async (world) => {
      const { cert, key } = await selfSigned(world.host());
      return { ...TEXTS, certificate_pem: cert.toString(), private_key_pem: key.toString() };
    },
    change: CHANGED,
    unseen: ['private_key_pem'],
  },
  { name: 'vaults', tag: 'Vaults', create: () => ({ ...TEXTS, name: fresh('vault') }), change: CHANGED },
  {
    name: 'secrets',
    tag: 'Secrets',
    create: async (world) => ({
      ...TEXTS,
      name: fresh('secret'),
      value: 'nobody sees it',
      vault_id: await made(world, '/vaults', { name: fresh('vault') }),
    }),
    change: { ...CHANGED, value: 'nor this' },
    unseen: ['value', 'vault_id'],
  },
  {
    name: 'bot_users',
    tag: 'BotUsers',
    create: () => ({ name: fresh('bot'), active: true }),
    change: { active: false },
  },
  {
    name: 'service_users',
    tag: 'ServiceUsers',
    create: () => ({ name: fresh('service'), active: true }),
    change: { active: false },
  },
  {
    name: 'tunnel_group_backends',
    tag: 'TunnelGroupBackends',
    create: () => ({ ...TEXTS, labels: { app: 'a', zone: 'b' } }),
    change: { ...CHANGED, labels: { app: 'c' } },
  },
  {
    name: 'edges_https',
    tag: 'EdgesHTTPS',
    create: (world) => ({ ...TEXTS, hostports: [`${world.host()}:443`] }),
    change: CHANGED,
  },
  { name: 'edges_tcp', tag: 'EdgesTCP', create: () => TEXTS, change: CHANGED },
  {
    name: 'edges_tls',
    tag: 'EdgesTLS',
    create: (world) => ({ ...TEXTS, hostports: [`${world.host()}:443`] }),
    change: CHANGED,
  },
];
