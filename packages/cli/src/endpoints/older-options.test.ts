import { expect, test } from 'vitest';
import { mergePolicies, validatePolicy } from '@postern/policy';
import type { FlagValues } from '../flags/flag.ts';
import type { Proto } from '../proto.ts';
import { UsageError } from '../usage-error.ts';
import { endpointOptions, olderSpellings } from './from-flags.ts';
import { rulesOf } from './older-options.ts';

/** What the flags mean, without what is empty, as the language's own parser sees it. */
function policyOf(proto: Proto, flags: FlagValues): Record<string, unknown> {
  const rules = rulesOf(proto, endpointOptions(proto, flags).older ?? {}, 'localhost:3000');
  return JSON.parse(mergePolicies([rules], '', proto === 'http' ? 'https' : proto)) as Record<string, unknown>;
}
const one = (type: string, config: object) => [{ actions: [{ type, config }] }];

test.each<[Proto, FlagValues, object]>([
  [
    'http',
    { basicAuth: ['ada:long ${password}'] },
    { on_http_request: one('basic-auth', { credentials: ['ada:long $${password}'] }) },
  ],
  [
    'http',
    { auth: ['ada:longpassword'] },
    { on_http_request: one('basic-auth', { credentials: ['ada:longpassword'] }) },
  ],
  ['http', { hostHeader: 'rewrite' }, { on_http_request: one('add-headers', { headers: { host: 'localhost:3000' } }) }],
  ['http', { hostHeader: 'a.test' }, { on_http_request: one('add-headers', { headers: { host: 'a.test' } }) }],
  ['http', { hostHeader: 'preserve' }, {}],
  [
    'http',
    { cidrAllow: ['10.0.0.0/8'], cidrDeny: ['::/0'] },
    { on_http_request: one('restrict-ips', { allow: ['10.0.0.0/8'], deny: ['::/0'] }) },
  ],
  ['tcp', { cidrDeny: ['10.0.0.0/8'] }, { on_tcp_connect: one('restrict-ips', { deny: ['10.0.0.0/8'] }) }],
  [
    'http',
    { requestHeaderAdd: ['X-A: 1', 'x-a:2'], requestHeaderRemove: ['x-b'] },
    {
      on_http_request: [
        ...one('remove-headers', { headers: ['x-b'] }),
        ...one('add-headers', { headers: { 'x-a': '1' } }),
        ...one('add-headers', { headers: { 'x-a': '2' } }),
      ],
    },
  ],
  [
    'http',
    { responseHeaderAdd: ['x-a: ${conn.client_ip}'], compression: true },
    {
      on_http_response: [
        ...one('add-headers', { headers: { 'x-a': '${conn.client_ip}' } }),
        ...one('compress-response', {}),
      ],
    },
  ],
  ['http', { circuitBreaker: '0.5' }, { on_http_request: one('circuit-breaker', { error_threshold: 0.5 }) }],
  [
    'http',
    { verifyWebhook: 'github', verifyWebhookSecret: 's' },
    { on_http_request: one('verify-webhook', { provider: 'github', secret: 's' }) },
  ],
  [
    'http',
    { uaFilterAllow: ['(?i)mozilla'], uaFilterDeny: ['"bot"'] },
    {
      on_http_request: [
        {
          expressions: ['!(req.user_agent.matches("(?i)mozilla"))', 'req.user_agent.matches("\\"bot\\"")'],
          actions: [{ type: 'deny', config: { status_code: 403 } }],
        },
      ],
    },
  ],
])('%s %j is a policy that servers take', (proto, flags, wanted) => {
  const policy = policyOf(proto, flags);
  expect(withoutNames(policy)).toEqual(wanted);
  const options = { protocol: proto === 'http' ? 'https' : proto, binding: 'public', kind: 'agent' } as const;
  expect(() => validatePolicy(JSON.stringify(policy), options)).not.toThrow();
});

test('logins are the action, and who is allowed a rule behind it', () => {
  const older = endpointOptions('http', {
    oauth: 'google',
    oauthAllowDomain: ['a.test'],
    oauthAllowEmail: ['ada@b.test'],
    oauthClientId: 'id',
    oauthClientSecret: 'secret',
    oauthScope: ['email'],
  }).older;
  expect(rulesOf('http', older ?? {}, '').on_http_request).toEqual([
    {
      actions: [
        { type: 'oauth', config: { provider: 'google', client_id: 'id', client_secret: 'secret', scopes: ['email'] } },
      ],
    },
    {
      expressions: [
        '!(actions.ngrok.oauth.identity.email.endsWith("@a.test") || actions.ngrok.oauth.identity.email == "ada@b.test")',
      ],
      actions: [{ type: 'deny', config: { status_code: 403 } }],
    },
  ]);
});

test.each<[Proto, FlagValues, string]>([
  ['http', { verifyWebhook: 'github' }, 'belong together'],
  ['http', { requestHeaderAdd: ['nocolon'] }, 'name: value'],
  ['http', { oauthAllowDomain: ['a.test'] }, '--oauth is needed'],
  ['http', { circuitBreaker: '2' }, '0 to 1'],
  ['http', { scheme: ['tcp'] }, 'http or https'],
  ['http', { bindTls: 'maybe' }, 'true, false or both'],
  ['http', { url: 'a.test', hostname: 'b.test' }, 'One address is enough: a.test, b.test'],
])('%s %j is refused: %s', (proto, flags, words) => {
  expect(() => policyOf(proto, flags)).toThrow(words);
  expect(() => policyOf(proto, flags)).toThrow(UsageError);
});

test.each<[Proto, FlagValues, object]>([
  ['http', { domain: 'a.test' }, { url: 'a.test' }],
  ['http', { hostname: 'a.test', scheme: ['http'] }, { url: 'http://a.test', schemes: ['http'] }],
  ['http', { bindTls: 'both' }, { schemes: ['https', 'http'] }],
  ['http', { subdomain: 'a' }, { subdomain: 'a' }],
  ['tcp', { remoteAddr: '20001' }, { url: 'tcp://localhost:20001' }],
  ['tcp', { remoteAddr: 'h:20001' }, { url: 'tcp://h:20001' }],
  ['http', { appProtocol: 'http2', proxyProto: '2' }, { upstreamProtocol: 'http2', upstreamProxyProtocol: '2' }],
  ['http', { policyFile: 'p.yml', verifyUpstreamTls: true }, { trafficPolicyFile: 'p.yml', upstreamTlsVerify: true }],
])('%s %j says %j', (proto, flags, wanted) => {
  expect(endpointOptions(proto, flags)).toEqual({ name: 'command_line', ...wanted });
});

test('older spellings are answered with those of today', () => {
  const flags = { domain: 'a.test', basicAuth: ['ada:longpassword'], region: 'eu', url: 'x' };
  expect(olderSpellings('http', flags)).toEqual([
    '--domain is an older spelling; today: --url a.test',
    '--basic-auth is an older spelling; today: the action basic-auth in a --traffic-policy-file',
    '--region is an older spelling; today: --connect-url: a server has no regions to choose from',
  ]);
  expect(olderSpellings('tcp', { cidrAllow: ['10.0.0.0/8'] })).toEqual([]);
});

/** The parser gives every rule a name and expressions; most have none. */
function withoutNames(policy: Record<string, unknown>): unknown {
  return JSON.parse(
    JSON.stringify(policy, (key, value: unknown) =>
      key === 'name' || (key === 'expressions' && Array.isArray(value) && value.length === 0) ? undefined : value,
    ),
  );
}
