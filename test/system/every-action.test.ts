/**
 * Every action of the language through the running edge: over HTTP/1 and HTTP/2, at an agent's endpoint and at a cloud
 * endpoint that forwards to the same service. What an action does in all its ways is said elsewhere; this is the table that
 * none is missing from.
 */
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { AgentSession } from '@postern/agent';
import { ACTIONS, builtAction } from '@postern/policy/schema';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { metadata, newKey, SIGN_ON } from '../../packages/policy/src/actions/saml/testing.ts';
import { agentOf } from '../support/agent.ts';
import { Platform, type Visit, type VisitOptions } from '../support/platform.ts';
import { httpUpstream, type Upstream } from '../support/upstream.ts';
import { visitHttp2 } from '../support/visit-http2.ts';

const SETUP = `
SecDefaultAction "phase:1,log,pass"
SecDefaultAction "phase:2,log,pass"
SecAction "id:900990,phase:1,pass,nolog,setvar:tx.inbound_anomaly_score_threshold=5,setvar:tx.outbound_anomaly_score_threshold=4"
`;
const FIREWALL = `
SecRule ARGS "@rx attack" "id:942190,phase:2,block,t:none,msg:'A',severity:'CRITICAL',setvar:tx.anomaly_score=+5"
SecRule TX:anomaly_score "@ge %{tx.inbound_anomaly_score_threshold}" "id:949110,phase:2,deny,t:none,msg:'Score'"
SecRule RESPONSE_BODY "@rx served" "id:951110,phase:4,block,msg:'B',setvar:tx.outbound_anomaly_score=+5"
SecRule TX:outbound_anomaly_score "@ge %{tx.outbound_anomaly_score_threshold}" "id:959100,phase:4,deny,t:none,msg:'Score'"
`;

const folder = mkdtempSync(path.join(os.tmpdir(), 'postern-every-action-'));
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
let platform: Platform;
let agent: AgentSession;
/** Answers as every case needs it. */
let service: Upstream;
/** Publishes keys and what an OpenID Connect provider says of itself. */
let issuer: Upstream;
let names = 0;

beforeAll(async () => {
  mkdirSync(path.join(folder, 'rules'));
  writeFileSync(path.join(folder, 'crs-setup.conf'), SETUP);
  writeFileSync(path.join(folder, 'rules', 'REQUEST-900.conf'), FIREWALL);
  service = await httpUpstream((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const sse = request.url === '/events';
      response.statusCode = request.url === '/fail' ? 500 : 200;
      response.setHeader('content-type', sse ? 'text/event-stream' : 'text/html');
      response.setHeader('x-of-service', 'there');
      const seen = `${request.url} ${String(request.headers['x-seen'])} ${Buffer.concat(parts).toString()}`;
      response.end(sse ? 'data: served secret\n\n' : `served ${seen} ${'.'.repeat(2_000)}`);
    });
  });
  issuer = await httpUpstream((request, response) => {
    const { url } = issuer;
    const keys = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one' }] };
    const places = { authorization_endpoint: `${url}/auth`, token_endpoint: `${url}/token`, jwks_uri: `${url}/keys` };
    response.end(JSON.stringify(request.url === '/keys' ? keys : { issuer: url, ...places }));
  });
  platform = await Platform.start({ args: [`--owasp-crs=${folder}`, '--policy-outgoing-allow=127.0.0.0/8'] });
  agent = agentOf(platform);
  await agent.listen({ url: 'https://service.internal', upstream: service.url });
});
afterAll(async () => {
  await agent?.close();
  await platform?.dispose();
  await Promise.all([service?.close(), issuer?.close()]);
  rmSync(folder, { recursive: true, force: true });
});

type Ask = (target: string, options?: VisitOptions) => Promise<Visit>;

interface Case {
  readonly phase?: 'on_tcp_connect' | 'on_http_request' | 'on_http_response' | 'on_event_stream_message';
  /** Made when the servers are there. */
  readonly config?: () => object;
  /** Rules behind it. */
  readonly behind?: readonly object[];
  /** What visitors see of it. */
  readonly shows: (ask: Ask) => Promise<void>;
}

const action = (type: string, config: object = {}): object => ({ actions: [{ type, config }] });
const login = { client_id: 'app', client_secret: 'secret' };
const lets = { replacements: [{ from: 'secret', to: 'hidden' }] };
const answer = (body: string): readonly object[] => [action('custom-response', { body })];

function token(): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { iss: 'i', aud: 'a', sub: 'ada', exp: Math.floor(Date.now() / 1_000) + 300 };
  const signed = `${part({ alg: 'RS256', kid: 'one' })}.${part(claims)}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
}

async function status(asked: Promise<Visit>, wanted: number): Promise<Visit> {
  const answered = await asked;
  expect(answered.status, answered.text.slice(0, 300)).toBe(wanted);
  return answered;
}

const CASES: Readonly<Record<string, Case>> = {
  'add-headers': {
    config: () => ({ headers: { 'x-seen': 'by ${req.method}' } }),
    shows: async (ask) => expect((await ask('/')).text).toContain('by GET'),
  },
  'ai-gateway': {
    config: () => ({ providers: [{ id: 'own', base_url: `${service.url}/v2`, api_keys: [{ value: 'k' }] }] }),
    shows: async (ask) => {
      const asked = await ask('/v1/chat/completions', { method: 'POST', body: '{"model":"own:m"}' });
      expect(asked.text).toContain('served /v2/chat/completions undefined {"model":"m"}');
      await status(ask('/v1/chat/completions', { method: 'POST', body: '{"model":"other"}' }), 422);
    },
  },
  'basic-auth': {
    config: () => ({ credentials: ['ada:long enough'] }),
    shows: async (ask) => {
      await status(ask('/'), 401);
      const authorization = `Basic ${Buffer.from('ada:long enough').toString('base64')}`;
      await status(ask('/', { headers: { authorization } }), 200);
    },
  },
  'circuit-breaker': {
    config: () => ({ error_threshold: 0.5, volume_threshold: 1, tripped_duration: '2m' }),
    shows: async (ask) => {
      await status(ask('/fail'), 500);
      await status(ask('/'), 503);
    },
  },
  'close-connection': { shows: (ask) => expect(ask('/')).rejects.toThrow() },
  'compress-response': {
    phase: 'on_http_response',
    shows: async (ask) => {
      const { headers, bytes } = await ask('/', { headers: { 'accept-encoding': 'gzip' } });
      expect(headers['content-encoding']).toBe('gzip');
      expect(gunzipSync(bytes).toString()).toContain('served');
    },
  },
  'custom-response': {
    config: () => ({ status_code: 418, body: 'of ${req.host}' }),
    shows: async (ask) => expect((await status(ask('/'), 418)).text).toMatch(/^of action\d+\.example\.com$/),
  },
  deny: { config: () => ({ status_code: 404 }), shows: async (ask) => void (await status(ask('/'), 404)) },
  'forward-internal': {
    config: () => ({ url: 'https://service.internal' }),
    shows: async (ask) => expect((await ask('/forwarded')).text).toContain('served /forwarded'),
  },
  'http-request': {
    config: () => ({ url: 'https://service.internal/called' }),
    behind: answer('${actions.ngrok.http_request.res.status_code} ${actions.ngrok.http_request.res.body}'),
    shows: async (ask) => expect((await ask('/')).text).toContain('200 served /called'),
  },
  'jwt-validation': {
    config: () => ({
      issuer: { allow_list: [{ value: 'i' }] },
      audience: { allow_list: [{ value: 'a' }] },
      http: { tokens: [{ type: 'jwt', method: 'header', name: 'Authorization', prefix: 'Bearer ' }] },
      jws: { allowed_algorithms: ['RS256'], keys: { sources: { additional_jkus: [`${issuer.url}/keys`] } } },
    }),
    shows: async (ask) => {
      await status(ask('/'), 401);
      await status(ask('/', { headers: { authorization: `Bearer ${token()}` } }), 200);
    },
  },
  log: {
    config: () => ({ metadata: { of: 'line ${req.url.path}' } }),
    shows: async (ask) => {
      const page = `/logged-${(names += 1)}`;
      await status(ask(page), 200);
      await expect.poll(() => platform.output).toContain(`line ${page}`);
    },
  },
  oauth: {
    config: () => ({ provider: 'github', ...login }),
    shows: async (ask) => expect((await status(ask('/'), 302)).headers.location).toContain('//github.com/login/'),
  },
  'openid-connect': {
    config: () => ({ issuer_url: issuer.url, ...login }),
    shows: async (ask) => expect((await status(ask('/'), 302)).headers.location).toContain(`${issuer.url}/auth?`),
  },
  'owasp-crs-request': {
    shows: async (ask) => {
      await status(ask('/?a=attack'), 403);
      await status(ask('/?a=visit'), 200);
    },
  },
  'owasp-crs-response': {
    phase: 'on_http_response',
    config: () => ({ process_body: true }),
    shows: async (ask) => void (await status(ask('/'), 403)),
  },
  'rate-limit': {
    config: () => ({
      name: 'r',
      algorithm: 'sliding_window',
      capacity: 1,
      rate: '60s',
      bucket_key: ['conn.client_ip'],
    }),
    shows: async (ask) => {
      await status(ask('/'), 200);
      expect((await status(ask('/'), 429)).headers['retry-after']).toMatch(/^\d+$/);
    },
  },
  redirect: {
    config: () => ({ from: '/old/(.*)', to: '/new/$1' }),
    shows: async (ask) => {
      expect((await status(ask('/old/page'), 302)).headers.location).toMatch(/example\.com\/new\/page$/);
      await status(ask('/other'), 200);
    },
  },
  'remove-headers': {
    phase: 'on_http_response',
    config: () => ({ headers: ['x-of-service'] }),
    shows: async (ask) => expect((await status(ask('/'), 200)).headers).not.toHaveProperty('x-of-service'),
  },
  'request-body-find-replace': {
    config: () => lets,
    shows: async (ask) => {
      const headers = { 'content-type': 'text/plain' };
      expect((await ask('/', { method: 'POST', body: 'a secret', headers })).text).toContain('a hidden');
    },
  },
  'response-body-find-replace': {
    phase: 'on_http_response',
    config: () => lets,
    shows: async (ask) => {
      const headers = { 'content-type': 'text/plain' };
      expect((await ask('/', { method: 'POST', body: 'a secret', headers })).text).toContain('a hidden');
    },
  },
  'restrict-ips': {
    config: () => ({ deny: ['127.0.0.0/8', '::1/128'] }),
    shows: async (ask) => void (await status(ask('/'), 403)),
  },
  saml: {
    config: () => ({ idp_metadata: metadata(newKey()) }),
    shows: async (ask) => expect((await status(ask('/'), 302)).headers.location).toContain(`${SIGN_ON}?SAMLRequest=`),
  },
  'set-vars': {
    config: () => ({ vars: [{ a: 'of ${req.method}' }] }),
    behind: answer('${vars.a}'),
    shows: async (ask) => expect((await ask('/')).text).toBe('of GET'),
  },
  'sse-find-replace': {
    phase: 'on_event_stream_message',
    config: () => lets,
    shows: async (ask) => expect((await ask('/events')).text).toBe('data: served hidden\n\n'),
  },
  'terminate-tls': {
    phase: 'on_tcp_connect',
    // Nobody here has a certificate of this one.
    config: () => ({ mutual_tls_certificate_authorities: [platform.ca] }),
    shows: (ask) => expect(ask('/')).rejects.toThrow(),
  },
  'url-rewrite': {
    config: () => ({ from: '/old/(.*)', to: '/new/$1' }),
    shows: async (ask) => expect((await ask('/old/page')).text).toContain('served /new/page'),
  },
  'verify-webhook': {
    config: () => ({ provider: 'github', secret: 'a secret' }),
    shows: async (ask) => {
      const signature = `sha256=${createHmac('sha256', 'a secret').update('{}').digest('hex')}`;
      const post = (signed: string) =>
        ask('/', { method: 'POST', body: '{}', headers: { 'x-hub-signature-256': signed } });
      await status(post(signature), 200);
      await status(post(`${signature.slice(0, -1)}g`), 403);
    },
  },
};

test('no action is missing', () => {
  const built = ACTIONS.map(({ type }) => type).filter((type) => builtAction(type) !== undefined);
  expect(Object.keys(CASES).toSorted()).toEqual(built.toSorted());
});

/** A new one each: what some actions count is counted by endpoint. */
async function endpoint(kind: 'agent' | 'cloud', type: string, { phase = 'on_http_request', config, behind }: Case) {
  const url = `https://action${(names += 1)}.example.com`;
  const policy: Record<string, object[]> = { [phase]: [action(type, config?.() ?? {})] };
  const requests = [...(policy['on_http_request'] ?? []), ...(behind ?? [])];
  // Rules that nothing passes have nothing behind them.
  const ends = type === 'deny' || type === 'custom-response' || type === 'close-connection' || behind !== undefined;
  if (kind === 'cloud' && !ends && type !== 'forward-internal' && type !== 'ai-gateway') {
    requests.push(action('forward-internal', { url: 'https://service.internal' }));
  }
  if (requests.length > 0) policy['on_http_request'] = requests;
  const trafficPolicy = JSON.stringify(policy);
  if (kind === 'agent') {
    await agent.listen({ url, upstream: service.url, trafficPolicy });
    return url;
  }
  const made = await platform.api('POST', '/endpoints', { url, traffic_policy: trafficPolicy });
  expect(made.status, made.text).toBe(201);
  return url;
}

describe.each(['agent', 'cloud'] as const)('%s', (kind) => {
  describe.each([1, 2] as const)('HTTP/%i', (version) => {
    test.each(Object.entries(CASES))('%s', async (type, one) => {
      const url = await endpoint(kind, type, one);
      const ask: Ask = (target, options = {}) => {
        const { method, body, headers } = options;
        const given = {
          ...(method === undefined ? {} : { method }),
          ...(body === undefined ? {} : { body }),
          ...(headers === undefined ? {} : { headers }),
        };
        return version === 1
          ? platform.visit(`${url}${target}`, given)
          : visitHttp2(platform, `${url}${target}`, given);
      };
      await one.shows(ask);
    });
  });
});
