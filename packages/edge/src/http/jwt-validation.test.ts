import { generateKeyPairSync, sign, type KeyPairKeyObjectResult } from 'node:crypto';
import { createServer } from 'node:https';
import type { ServerResponse } from 'node:http';
import { compilePolicy, type CompiledPolicy } from '@postern/policy';
import { describe, expect, test } from 'vitest';
import { PublishedKeys } from '../services/keys.ts';
import { Outside } from '../services/outside.ts';
import { selfSigned } from '../testing/certificate.ts';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { dial, get, harness, type Harness } from '../testing/http-harness.ts';
import { listening, nodeService } from '../testing/services.ts';

const close = 'Connection: close\r\n';
const pair = (): KeyPairKeyObjectResult => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function tokenOf(kid: string, { privateKey }: KeyPairKeyObjectResult, claims: object = {}): string {
  const exp = Date.now() / 1000 + 600;
  const payload = { iss: 'https://issuer.test/', aud: 'app', sub: 'ada', exp, ...claims };
  const signed = `${encoded({ alg: 'ES256', kid, typ: 'JWT' })}.${encoded(payload)}`;
  const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

/** A set of keys as issuers publish it: by TLS, on loopback. */
async function issuer(keys: Record<string, KeyPairKeyObjectResult>, allow: readonly string[] = ['127.0.0.0/8']) {
  const { cert, key } = selfSigned('keys.test');
  const published = { keys, answers: [] as ServerResponse[], hangs: false, status: 200 };
  const server = createServer({ cert, key }, (_request, response) => {
    published.answers.push(response);
    if (published.hangs) return;
    const set = Object.entries(published.keys).map(([kid, { publicKey }]) => ({
      ...publicKey.export({ format: 'jwk' }),
      kid,
      use: 'sig',
      alg: 'ES256',
    }));
    response.writeHead(published.status, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: set }));
  });
  const service = await listening(server);
  const clock = { now: 0 };
  const outside = new Outside({ allow, ca: [cert], resolve: () => Promise.resolve(['127.0.0.1']) });
  return {
    published,
    clock,
    keys: new PublishedKeys(outside, () => clock.now),
    url: `https://keys.test:${service.port}/jwks.json`,
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  };
}

const SUBJECT = '${actions.ngrok.jwt_validation.tokens[0].payload.sub}';
const THROUGH = { actions: [{ type: 'custom-response', config: { body: `through as ${SUBJECT}` } }] };

function policy(url: string, kind: 'cloud' | 'agent' = 'cloud', tokens: object[] = []): CompiledPolicy {
  const config = {
    issuer: { allow_list: [{ value: 'https://issuer.test/' }] },
    audience: { allow_list: [{ value: 'app' }] },
    http: {
      tokens:
        tokens.length > 0 ? tokens : [{ type: 'jwt', method: 'header', name: 'Authorization', prefix: 'Bearer ' }],
    },
    jws: { allowed_algorithms: ['ES256'], keys: { sources: { additional_jkus: [url] } } },
  };
  const check = { actions: [{ type: 'jwt-validation', config }] };
  const last =
    kind === 'cloud' ? THROUGH : { actions: [{ type: 'add-headers', config: { headers: { 'x-sub': SUBJECT } } }] };
  return compilePolicy({ on_http_request: [check, last] }, { protocol: 'http', binding: 'public', kind });
}

const cloud = endpoint('ep_1', 'http', 'app.test', { kind: 'cloud', policy: 'checked' });
const bearing = (token: string, more = ''): string => get('/', `${close}Authorization: Bearer ${token}\r\n${more}`);

/** Status, and the number of the page or the body. */
async function ask(edge: Harness, token: string): Promise<string> {
  const text = await edge.talk(bearing(token));
  const status = /^HTTP\/1\.1 (\d+)/.exec(text)?.[1];
  const number = /ngrok-error-code: ERR_NGROK_(\d+)/i.exec(text)?.[1];
  return `${status} ${number ?? text.slice(text.indexOf('\r\n\r\n') + 4)}`;
}

describe('jwt-validation', () => {
  test('lets in by keys that an issuer publishes, and keeps them', async () => {
    const first = pair();
    await using at = await issuer({ first });
    await using edge = await harness({ policies: { checked: policy(at.url) }, keys: at.keys });
    edge.publish(cloud);
    expect(await ask(edge, tokenOf('first', first))).toBe('200 through as ada');
    expect(await ask(edge, tokenOf('first', first, { sub: 'bob' }))).toBe('200 through as bob');
    expect(await ask(edge, tokenOf('first', pair()))).toBe('401 3401');
    expect(await ask(edge, tokenOf('first', first, { exp: 1 }))).toBe('401 3401');
    expect(await ask(edge, tokenOf('first', first, { aud: 'other' }))).toBe('403 3403');
    expect(await ask(edge, 'garbage')).toBe('401 3416');
    expect(at.published.answers).toHaveLength(1);
    const none = await edge.talk(get('/', close));
    expect(none).toMatch(/^HTTP\/1\.1 401 /);
    expect(none).toMatch(/\r\nwww-authenticate: Bearer\r\n/i);
    expect(await edge.talk(bearing(tokenOf('first', first, { exp: 1 })))).toMatch(
      /\r\nwww-authenticate: Bearer error="invalid_token"\r\n/i,
    );
  });

  test('follows an issuer who changes keys, and asks no more often for whatever names visitors think up', async () => {
    const [first, second] = [pair(), pair()];
    await using at = await issuer({ first });
    await using edge = await harness({ policies: { checked: policy(at.url) }, keys: at.keys });
    edge.publish(cloud);
    expect(await ask(edge, tokenOf('first', first))).toBe('200 through as ada');
    at.published.keys = { second };
    for (let n = 0; n < 5; n++) expect(await ask(edge, tokenOf(`made up ${n}`, second))).toBe('401 3401');
    expect(at.published.answers).toHaveLength(1);
    at.clock.now += 30_000;
    expect(await ask(edge, tokenOf('second', second))).toBe('200 through as ada');
    expect(await ask(edge, tokenOf('first', first))).toBe('401 3401');
    expect(at.published.answers).toHaveLength(2);
  });

  test('answers 500 while there are no keys, and asks nobody where it may not', async () => {
    const first = pair();
    await using at = await issuer({ first });
    at.published.status = 503;
    await using edge = await harness({ policies: { checked: policy(at.url) }, keys: at.keys });
    edge.publish(cloud);
    expect(await ask(edge, tokenOf('first', first))).toBe('500 3422');
    at.published.status = 200;
    at.clock.now += 30_000;
    expect(await ask(edge, tokenOf('first', first))).toBe('200 through as ada');
    await using inside = await issuer({ first }, []);
    await using closed = await harness({ policies: { checked: policy(inside.url) }, keys: inside.keys });
    closed.publish(cloud);
    expect(await ask(closed, tokenOf('first', first))).toBe('500 3422');
    expect(inside.published.answers).toHaveLength(0);
  });

  test('hands the request to the service as it came, and nothing that it refuses', async () => {
    const first = pair();
    const served: string[] = [];
    await using service = await nodeService((request, response) => {
      served.push(`${String(request.headers['x-sub'])} ${request.headers.authorization?.slice(0, 10)}`);
      response.end('served');
    });
    await using at = await issuer({ first });
    await using edge = await harness({
      policies: { checked: policy(at.url, 'agent') },
      keys: at.keys,
      agents: { ts_1: dial(service.port) },
    });
    edge.publish(endpoint('ep_1', 'http', 'app.test', { policy: 'checked', upstreams: [upstream('ts_1', 't1')] }));
    expect(await ask(edge, tokenOf('first', first))).toBe('200 served');
    expect(await ask(edge, tokenOf('first', pair()))).toBe('401 3401');
    expect(served).toEqual(['ada Bearer eyJ']);
  });

  test('finds a token in a body, which the service gets all the same', async () => {
    const first = pair();
    const bodies: string[] = [];
    await using service = await nodeService((request, response) => {
      let body = '';
      request.on('data', (part: Buffer) => (body += part.toString()));
      request.on('end', () => {
        bodies.push(body);
        response.end('served');
      });
    });
    await using at = await issuer({ first });
    const tokens = [{ type: 'jwt', method: 'body', name: 'token' }];
    await using edge = await harness({
      policies: { checked: policy(at.url, 'agent', tokens) },
      keys: at.keys,
      agents: { ts_1: dial(service.port) },
    });
    edge.publish(endpoint('ep_1', 'http', 'app.test', { policy: 'checked', upstreams: [upstream('ts_1', 't1')] }));
    const body = `token=${tokenOf('first', first)}&a=b`;
    const post = (text: string): string =>
      `POST / HTTP/1.1\r\nHost: app.test\r\n${close}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
    expect(await edge.talk(post(body))).toMatch(/^HTTP\/1\.1 200 /);
    expect(await edge.talk(post('a=b'))).toMatch(/^HTTP\/1\.1 401 [^]*ERR_NGROK_3406/);
    expect(bodies).toEqual([body]);
  });

  test('waits no longer than its visitor and its phase, and the set is there for who comes then', async () => {
    const first = pair();
    await using at = await issuer({ first });
    at.published.hangs = true;
    await using edge = await harness({
      policies: { checked: policy(at.url) },
      keys: at.keys,
      limits: { policyMs: 2_000 },
    });
    edge.publish(cloud);
    const visitor = edge.connect();
    visitor.write(bearing(tokenOf('first', first)));
    await expect.poll(() => at.published.answers.length).toBe(1);
    visitor.resetAndDestroy();
    await expect.poll(() => edge.events.map(({ reason }) => reason)).toEqual(['client-gone']);
    expect(await ask(edge, tokenOf('first', first))).toBe('504 90038');
    expect(at.published.answers).toHaveLength(1);
    at.published.hangs = false;
    const [answer] = at.published.answers;
    answer?.end(JSON.stringify({ keys: [{ ...first.publicKey.export({ format: 'jwk' }), kid: 'first' }] }));
    await expect.poll(() => ask(edge, tokenOf('first', first))).toBe('200 through as ada');
    expect(at.published.answers).toHaveLength(1);
  });
});
