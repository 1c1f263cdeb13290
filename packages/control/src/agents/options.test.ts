import { describe, expect, test } from 'vitest';
import type { BindOptions, BindRequest } from '@postern/protocol';
import { policyRules } from '../policy-rules.ts';
import { selfSigned } from '../testing/self-signed.ts';
import { readOptions, type PolicyPlace } from './options.ts';

const HTTPS: PolicyPlace = { scheme: 'https', binding: 'public' };

function read(opts: Partial<BindOptions>, place = HTTPS) {
  const request: BindRequest = {
    id: '',
    proto: place.scheme,
    forwardsTo: '',
    forwardsProto: '',
    rawOpts: {},
    opts: { proxyProto: 0, ...opts },
    token: '',
    ipPolicyRef: '',
    metadata: '',
    bindings: [],
    poolingEnabled: false,
    name: '',
    description: '',
  };
  const options = readOptions(policyRules, request, place);
  const merged = options.effectivePolicy !== options.trafficPolicy;
  const effective: unknown = merged ? JSON.parse(options.effectivePolicy) : {};
  return { ...options, effective };
}

/** Action types of a phase, in order. */
function types(effective: unknown, phase: string): string[] {
  const text = JSON.stringify(Object(effective)[phase] ?? []);
  return [...text.matchAll(/"type":"([a-z-]+)"/g)].map((match) => match[1] ?? '');
}

describe('options become rules of the policy, checked by the real language', () => {
  test('no options, no policy: nothing to run', () => {
    expect(read({})).toMatchObject({ trafficPolicy: '', effectivePolicy: '' });
  });

  test('a policy alone is kept byte for byte', () => {
    const trafficPolicy = 'on_http_request:\n  - actions:\n      - type: deny\n';
    expect(read({ trafficPolicy })).toMatchObject({ trafficPolicy, effectivePolicy: trafficPolicy });
  });

  test('all of them, around the user policy', () => {
    const { effective, trafficPolicy } = read({
      trafficPolicy: '{"on_http_request":[{"actions":[{"type":"deny","config":{"status_code":404}}]}]}',
      ipRestriction: { allow: ['10.0.0.0/8'], deny: ['10.1.0.0/16'] },
      basicAuth: [{ username: 'ann', password: 'pass${word}', passwordHash: '' }],
      requestHeaders: {
        add: [
          ['X-A', '1'],
          ['x-a', '2'],
        ],
        remove: ['x-b'],
      },
      responseHeaders: { add: [['x-c', '3']], remove: [] },
      webhookVerification: { provider: 'slack', secret: 'a${b}' },
      compression: true,
    });
    expect(trafficPolicy).not.toContain('basic-auth');
    expect(types(effective, 'on_http_request')).toEqual([
      'restrict-ips',
      'basic-auth',
      'verify-webhook',
      'deny',
      'remove-headers',
      'add-headers',
      'add-headers',
    ]);
    expect(types(effective, 'on_http_response')).toEqual(['add-headers', 'compress-response']);
    expect(JSON.stringify(effective)).toContain('ann:pass$${word}');
    expect(JSON.stringify(effective)).toContain('"secret":"a$${b}"');
  });

  test('IP rules of a tcp endpoint work on the connection', () => {
    const place: PolicyPlace = { scheme: 'tcp', binding: 'public' };
    const { effective } = read({ ipRestriction: { allow: [], deny: ['10.0.0.0/8'] }, compression: true }, place);
    expect(types(effective, 'on_tcp_connect')).toEqual(['restrict-ips']);
    expect(types(effective, 'on_http_response')).toEqual([]);
  });

  test('IP rules of an internal https endpoint work on the request', () => {
    const { effective } = read(
      { ipRestriction: { allow: ['10.0.0.0/8'], deny: [] } },
      { ...HTTPS, binding: 'internal' },
    );
    expect(types(effective, 'on_http_request')).toEqual(['restrict-ips']);
  });

  test('the legacy object form of a policy', () => {
    const policy = {
      Inbound: [{ Name: 'x', Expressions: [], Actions: [{ Type: 'deny', Config: { status_code: 403 } }] }],
    };
    const { trafficPolicy, effective } = read({ policy, compression: true });
    expect(JSON.parse(trafficPolicy)).toEqual(policy);
    expect(types(effective, 'on_http_request')).toEqual(['deny']);
  });

  test('a filter of user agents decides first, behind IP rules of the same rank', () => {
    const { effective } = read({ userAgentFilter: { allow: ['a"\\.b'], deny: [] }, auth: 'ann:long:password' });
    expect(types(effective, 'on_http_request')).toEqual(['custom-response', 'basic-auth']);
    expect(JSON.stringify(effective)).toContain('ERR_NGROK_3211');
  });

  test('a circuit breaker stands before who may come in', () => {
    const { effective } = read({ circuitBreaker: { errorThreshold: 0.5 }, auth: 'ann:long:password' });
    expect(types(effective, 'on_http_request')).toEqual(['circuit-breaker', 'basic-auth']);
  });

  test('who may log in stands behind the log-in, before the rules of the policy', () => {
    const app = { clientId: 'a${b}', clientSecret: 'c', allowEmails: ['"Ada"@x.test'], allowDomains: ['@Y.test'] };
    const { effective } = read({
      trafficPolicy: '{"on_http_request":[{"actions":[{"type":"redirect","config":{"to":"/"}}]}]}',
      oidc: { issuerUrl: 'https://issuer.test', ...app },
      auth: 'ann:long:password',
    });
    expect(types(effective, 'on_http_request')).toEqual(['basic-auth', 'openid-connect', 'deny', 'redirect']);
    const email = 'actions.ngrok.oidc.identity.email.lowerAscii()';
    expect(effective).toMatchObject({
      on_http_request: [
        {},
        { actions: [{ config: { client_id: 'a$${b}', client_secret: 'c' } }] },
        {
          expressions: [
            `!(${email} != '' && (${email} in ["\\"ada\\"@x.test"] || ` +
              `${email}.substring(${email}.lastIndexOf('@') + 1) in ["y.test"]))`,
          ],
        },
        {},
      ],
    });
  });

  test('old agents give user:password; a hash is kept as a hash', () => {
    expect(read({ auth: 'ann:long:password' }).effectivePolicy).toContain('ann:long:password');
    const passwordHash = `$2a$10$${'a'.repeat(53)}`;
    const hashed = read({ basicAuth: [{ username: 'ann', password: '', passwordHash }] });
    expect(hashed.effectivePolicy).toContain('ann:{bcrypt}');
  });

  test.each([
    [{ oauth: { provider: 'nobody' } }, 9026, 'the option OAuth.provider: "nobody"'],
    [{ oauth: { provider: 'google', clientId: 'x' } }, 9026, 'the option OAuth: "client_id" needs "client_secret"'],
    [{ oidc: { issuerUrl: 'x', clientId: 'a', clientSecret: 'b' } }, 9026, 'the option OIDC.issuer_url: "x"'],
    [{ oidc: { issuerUrl: 'https://x.test' } }, 9026, 'the option OIDC: the field "client_id"'],
    [{ oauth: { provider: 'google', allowEmails: Array(501).fill('a@b.c') } }, 301, '500'],
    [{ webhookVerification: { provider: 'nobody', secret: 's' } }, 9026, 'the option WebhookVerification.provider'],
    [{ webhookVerification: { provider: 'slack', secret: '' } }, 9026, 'the option WebhookVerification.secret'],
    [{ circuitBreaker: { errorThreshold: 5 } }, 9026, 'the option CircuitBreaker.error_threshold: 5 is outside 0 to 1'],
    [{ userAgentFilter: { allow: ['('], deny: [] } }, 9026, 'the option UserAgentFilter'],
    [{ basicAuth: [{ username: '', password: 'password', passwordHash: '' }] }, 359, 'user name'],
    [{ auth: 'no-colon' }, 359, 'user name'],
    [{ auth: 'ann:short' }, 360, '5'],
    [{ ipRestriction: { allow: ['nonsense'], deny: [] } }, 9026, 'the option IPRestriction.allow[0]: "nonsense"'],
    [{ requestHeaders: { add: [['bad name', 'x']], remove: [] } }, 9026, 'the option RequestHeaders.headers'],
    [{ responseHeaders: { add: [], remove: ['connection'] } }, 9026, 'the option ResponseHeaders'],
    [{ mutualTlsCa: 'not pem' }, 301, 'PEM'],
    [{ trafficPolicy: '{"on_http_request":[{}]}' }, 9026, '2206'],
    [{ trafficPolicy: '{}', policy: { inbound: [] } }, 9025, 'Policy'],
  ] as const)('%j is refused with %i, naming %s', (opts, number, name) => {
    expect(() => read(opts)).toThrow(expect.objectContaining({ number, message: expect.stringContaining(name) }));
  });
});

test.each([
  ['https', true],
  ['http', true],
  ['tcp', false],
] as const)('bytes of WebSocket messages are for services of %s: %s', (scheme, is) => {
  const { websocketTcp } = read({ websocketTcpConverter: true }, { scheme, binding: 'public' });
  expect(websocketTcp).toBe(is);
});

describe('where TLS ends', () => {
  const { cert, key } = selfSigned();

  test.each([
    ['https', {}, { at: 'edge', cert: null, key: null }],
    ['tls', {}, { at: 'agent' }],
    ['tls', { tlsTermination: { cert: '', key: '' } }, { at: 'edge', cert: null, key: null }],
    ['tls', { tlsTermination: { cert, key } }, { at: 'edge', cert, key }],
    ['tls', { mutualTlsCa: cert }, { at: 'edge', cert: null, key: null }],
  ] as const)('%s', (scheme, opts, tls) => {
    expect(read(opts, { scheme, binding: 'public' }).tls).toEqual(tls);
  });

  test('bundles of authorities are one text in the policy, and have a bound', () => {
    const place: PolicyPlace = { scheme: 'https', binding: 'public' };
    const { on_tcp_connect: rules } = read({ mutualTlsCa: `words\n${cert.repeat(40)}more words ` }, place).optionRules;
    expect(rules).toEqual([
      { type: 'terminate-tls', config: { mutual_tls_certificate_authorities: [cert.repeat(40)] } },
    ]);
    const refused = (mutualTlsCa: string): string => {
      try {
        read({ mutualTlsCa }, place);
      } catch (error) {
        return String(error);
      }
      return 'accepted';
    };
    expect(refused(cert.repeat(51))).toMatch(/MutualTLSCA .*more than 50/);
    expect(refused('-----BEGIN CERTIFICATE-----'.repeat(30_000))).toMatch(/MutualTLSCA .*65536/);
    expect(refused(cert.replace('MII', '${'))).toMatch(/MutualTLSCA .*does not parse/);
  });

  test('a certificate without its key is refused', () => {
    const opts = { tlsTermination: { cert, key: '' } };
    expect(() => read(opts, { scheme: 'tls', binding: 'public' })).toThrow(expect.objectContaining({ number: 301 }));
  });

  test("client certificates become terminate-tls with the endpoint's own certificate", () => {
    const place: PolicyPlace = { scheme: 'tls', binding: 'public' };
    const { effectivePolicy } = read({ mutualTlsCa: cert + cert, tlsTermination: { cert, key } }, place);
    expect(effectivePolicy).toContain('terminate-tls');
    expect(effectivePolicy).toContain('server_private_key');
    expect(() => read({ mutualTlsCa: cert }, { scheme: 'http', binding: 'public' })).toThrow(
      expect.objectContaining({ number: 301 }),
    );
  });
});
