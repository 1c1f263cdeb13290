import { fail, PosternError } from '@postern/errors';
import { describe, expect, it } from 'vitest';
import { createRateLimiter } from './pipeline/rate-limit.ts';
import { createApiUnderTest, type Ask } from './testing/api-under-test.ts';
import { API_KEY, createFakeControl, idOf } from './testing/fake-control.ts';

class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

function rejecting(error: Error): () => Promise<never> {
  return async () => {
    throw error;
  };
}

/** Target, what is sent, code, status, and a word that the message must have. */
const CASES: readonly (readonly [target: string, ask: Ask, code: number, status: number, says: string])[] = [
  ['GET /endpoints', { headers: { authorization: '' } }, 200, 403, 'Authorization'],
  ['GET /endpoints', { headers: { authorization: 'Bearer a b' } }, 201, 403, 'Bearer'],
  ['GET /endpoints', { headers: { authorization: 'Basic !!' } }, 201, 403, 'Bearer'],
  ['GET /endpoints', { headers: { authorization: 'Bearer nope' } }, 202, 403, 'shape'],
  ['GET /endpoints', { headers: { authorization: 'Bearer no_pe' } }, 203, 403, 'not known'],
  ['GET /endpoints', { headers: { 'ngrok-version': '' } }, 218, 400, 'Ngrok-Version: 2'],
  ['GET /endpoints', { headers: { 'ngrok-version': '3' } }, 217, 400, '"3"'],
  ['POST /api_keys', { body: 'a=b', headers: { 'content-type': 'text/html' } }, 210, 415, 'text/html'],
  ['POST /api_keys', { body: 'a=b', headers: { 'content-type': '' } }, 216, 400, 'Content-Type'],
  ['POST /api_keys', { body: '{"a"', headers: { 'content-type': 'application/json' } }, 213, 400, 'JSON'],
  ['POST /api_keys', { body: [] }, 213, 400, 'a list'],
  ['POST /api_keys', { body: { descripton: 'x' } }, 214, 400, '"descripton"'],
  ['POST /api_keys', { body: { descripton: 'x' } }, 214, 400, 'description, metadata, owner_id'],
  [
    'POST /api_keys',
    { body: '{"__proto__":{}}', headers: { 'content-type': 'application/json' } },
    214,
    400,
    '__proto__',
  ],
  ['POST /api_keys', { body: { description: 5 } }, 215, 400, '"description"'],
  ['POST /endpoints', { body: { bindings: 'public' } }, 215, 400, 'a list is needed'],
  ['POST /endpoints', { body: { bindings: ['public', 7] } }, 215, 400, '"bindings.1"'],
  ['POST /endpoints', { body: { pooling_enabled: 'true' } }, 215, 400, 'true or false is needed, not a string'],
  ['POST /endpoints', { body: { traffic_policy: {} } }, 215, 400, 'a string is needed, not an object'],
  ['POST /backends/tunnel_group', { body: { labels: { a: 1 } } }, 215, 400, '"labels.a"'],
  ['POST /edges/tls', { body: { backend: { enabled: true } } }, 215, 400, 'backend.backend_id'],
  ['POST /edges/tls', { body: { backend: { backend_id: 'x', weight: 1 } } }, 214, 400, 'backend.weight'],
  ['GET /endpoints?a=%', {}, 230, 400, '%'],
  ['GET /endpoints?size=3', {}, 231, 400, 'before_id, limit, filter, id, ids, url, urls'],
  ['GET /endpoints/ep_1?limit=1', {}, 231, 400, 'none'],
  ['GET /tunnels?filter=true', {}, 231, 400, 'filter'],
  ['GET /endpoints?limit=1&limit=2', {}, 232, 400, 'limit'],
  ['GET /endpoints?before_id=ep_1&beforeId=ep_2', {}, 232, 400, 'once'],
  ['GET /endpoints?before_id=rd_1', {}, 227, 400, 'ep_'],
  ['GET /endpoints?limit=0', {}, 233, 400, '0'],
  ['GET /endpoints?limit=101', {}, 233, 400, '101'],
  ['GET /endpoints?limit=-1', {}, 233, 400, '-1'],
  ['GET /endpoints?limit=ten', {}, 244, 400, 'ten'],
  ['GET /endpoints?limit=1.5', {}, 244, 400, '1.5'],
  ['GET /endpoints?limit', {}, 244, 400, 'whole number'],
  ['GET /endpoints?filter=obj.kind%20%3D%3D%201', {}, 250, 400, 'obj.kind'],
  ['GET /endpoints/nonsense', {}, 222, 404, 'ep_'],
  [`GET /endpoints/${idOf('rd', 1)}`, {}, 222, 404, 'ep_'],
  [`GET /endpoints/${idOf('ep', 1)}x`, {}, 222, 404, 'ep_'],
  [`GET /endpoints/${'x'.repeat(3_000)}`, {}, 222, 404, 'xxx…'],
  [`GET /endpoints/${'x'.repeat(6_000)}`, {}, 90075, 400, 'path'],
  ['GET /endpoints/%zz', {}, 90075, 400, '/endpoints/%zz'],
  [
    'PATCH /reserved_domains/rd_222222222222222222222220001',
    { body: { resolves_to: [{ value: 'us' }] } },
    90076,
    400,
    'resolves_to',
  ],
  [
    'POST /reserved_domains',
    { body: { domain: 'a.b', resolves_to: [{ value: '192.0.2.1' }] } },
    90076,
    400,
    'resolves_to',
  ],
  ['POST /reserved_domains', { body: { domain: 'a.b', resolves_to: [{ value: 'us' }] } }, 90076, 400, 'resolves_to'],
  ['POST /edges/https', { body: { mutual_tls: {} } }, 90021, 400, 'mutual_tls'],
  ['POST /edges/tls', { body: { traffic_policy: { value: '{}' } } }, 90021, 400, 'traffic_policy'],
  [`PUT /edges/tcp/${idOf('edgtcp', 1)}/ip_restriction`, { body: 'x' }, 90021, 400, 'ip_restriction'],
  [`GET /edges/https/${idOf('edghts', 1)}/routes/${idOf('edghtsrt', 1)}/oauth`, {}, 90021, 400, 'oauth'],
  ['POST /endpoints', { body: {} }, 18015, 400, 'url'],
];

describe('errors', () => {
  it.each(CASES)('%s %j: %i', async (target, ask, code, status, says) => {
    const api = await createApiUnderTest();
    const reply = await api.ask(target, ask);
    expect(reply.json).toEqual({
      error_code: `ERR_NGROK_${code}`,
      status_code: status,
      msg: expect.stringContaining(says),
      details: { operation_id: reply.headers['ngrok-operation-id'] },
    });
    expect(reply.status).toBe(status);
    expect(reply.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(reply.json['msg']).not.toMatch(/\{[a-z_]+\}/);
  });

  it('never repeats a credential', async () => {
    const { ask, logged } = await createApiUnderTest();
    const secret = 'supersecret_value';
    for (const scheme of ['Bearer', 'Token', 'Basic']) {
      // oxlint-disable-next-line no-await-in-loop
      const reply = await ask('GET /endpoints', { headers: { authorization: `${scheme} ${secret}` } });
      expect(reply.status).toBe(403);
      expect(reply.headers['www-authenticate']).toBeUndefined();
      expect(reply.text).not.toContain(secret);
    }
    expect(JSON.stringify(logged)).not.toContain(secret);
  });

  it('takes Basic with the key as password or as user name', async () => {
    const { ask } = await createApiUnderTest();
    for (const pair of [`api:${API_KEY}`, `${API_KEY}:`]) {
      const authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
      // oxlint-disable-next-line no-await-in-loop
      expect((await ask('GET /endpoints', { headers: { authorization } })).status).toBe(200);
    }
  });

  it('answers unknown paths and wrong methods alike, without a key and without reading the body', async () => {
    const { ask } = await createApiUnderTest();
    const headers = { authorization: '' };
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']) {
      // oxlint-disable-next-line no-await-in-loop
      const reply = await ask(`${method} /no/such?key=1`, { headers });
      expect(reply.status).toBe(404);
      if (method !== 'HEAD') {
        expect(reply.json).toEqual(notServed(method, '/no/such'));
      }
    }
    const wrong = await ask('DELETE /endpoints', { headers });
    expect(wrong.json).toEqual(notServed('DELETE', '/endpoints'));
    for (const [method, path] of [
      ['GET', '/endpoints/'],
      ['GET', '/Endpoints'],
      ['OPTIONS', '/endpoints'],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop
      expect((await ask(`${method} ${path}`, { headers })).json).toEqual(notServed(method, path));
    }
  });

  it('refuses a body over 1 MiB, and one that nests too deep', async () => {
    const { ask } = await createApiUnderTest();
    const headers = { 'content-type': 'application/json; charset=utf-8' };
    const large = await ask('POST /endpoints', { headers, body: `{"url":"${'x'.repeat(1024 * 1024)}"}` });
    expect([large.status, large.json['error_code']]).toEqual([413, 'ERR_NGROK_90074']);
    const deep = await ask('POST /endpoints', {
      headers,
      body: `{"url":${'['.repeat(200_000)}${']'.repeat(200_000)}}`,
    });
    expect([deep.status, deep.json['error_code']]).toEqual([400, 'ERR_NGROK_213']);
  });

  it('says 503 when the store cannot write, and 500 with nothing inside for the unexpected', async () => {
    const { control } = createFakeControl();
    const failing = (error: Error) => ({
      control: { ...control, apiKeys: { ...control.apiKeys, create: rejecting(error) } },
    });
    const full = await createApiUnderTest(failing(new StoreUnavailable('disk I/O error at /data/db')));
    const refused = await full.ask('POST /api_keys', { body: {} });
    expect([refused.status, refused.json['error_code'], refused.headers['retry-after']]).toEqual([
      503,
      'ERR_NGROK_90070',
      '5',
    ]);
    expect(refused.text).not.toContain('/data/db');
    expect(full.logged.some(({ level }) => level === 'error')).toBe(true);
    const silent = await createApiUnderTest(
      failing(Object.assign(new StoreUnavailable('silent'), { applied: 'unknown' })),
    );
    const maybe = await silent.ask('POST /api_keys', { body: {} });
    expect([maybe.status, maybe.json['error_code']]).toEqual([503, 'ERR_NGROK_90077']);

    const broken = await createApiUnderTest(failing(new TypeError('cannot read secret of undefined')));
    const failed = await broken.ask('POST /api_keys', { body: {} });
    expect([failed.status, failed.json['error_code']]).toEqual([500, 'ERR_NGROK_90071']);
    expect(failed.text).not.toContain('secret');
    const [entry] = broken.logged.filter(({ level }) => level === 'error');
    expect(entry?.fields).toMatchObject({
      operation_id: failed.headers['ngrok-operation-id'],
      err: expect.any(TypeError),
    });
  });

  it('keeps every value of details a string when the rules add some', async () => {
    const { control } = createFakeControl();
    const error = fail(90026, { addr: 'a:1', users: 'x' }, { details: { users: 'ep_1' } });
    const { ask } = await createApiUnderTest({
      control: { ...control, reservedAddrs: { ...control.reservedAddrs, remove: rejecting(error) } },
    });
    const reply = await ask(`DELETE /reserved_addrs/${idOf('ra', 1)}`);
    expect(reply.json['details']).toEqual({ users: 'ep_1', operation_id: reply.headers['ngrok-operation-id'] });
  });

  it('answers 503 until the server is ready, but routes first', async () => {
    let ready = false;
    const { ask } = await createApiUnderTest({ ready: () => ready });
    const early = await ask('GET /endpoints');
    expect([early.status, early.json['error_code'], early.headers['retry-after']]).toEqual([
      503,
      'ERR_NGROK_90072',
      '1',
    ]);
    expect((await ask('GET /nothing')).status).toBe(404);
    ready = true;
    expect((await ask('GET /endpoints')).status).toBe(200);
  });
});

/** Clients show nothing but `msg`, and tell what is gone from what was never there by the code alone. */
const notServed = (method: string, path: string) => ({
  error_code: 'ERR_NGROK_90095',
  status_code: 404,
  msg: expect.stringMatching(new RegExp(`^Not Found: .* ${method} ${path}\\.`)),
  details: { path },
});

describe('the rate limit', () => {
  it('counts per account over a rolling minute', async () => {
    const { ask, clock } = await createApiUnderTest({ rateLimit: { perMinute: 3 } });
    const other = { headers: { authorization: 'Bearer other_account' } };
    const statuses: number[] = [];
    for (const step of [0, 10_000, 10_000, 10_000]) {
      clock.time += step;
      // oxlint-disable-next-line no-await-in-loop
      statuses.push((await ask('GET /endpoints')).status);
    }
    expect(statuses).toEqual([200, 200, 200, 429]);
    const refused = await ask('GET /endpoints');
    expect(refused.json).toMatchObject({ error_code: 'ERR_NGROK_226', details: { retry_after: '30' } });
    expect(refused.headers['retry-after']).toBe('30');
    expect((await ask('GET /endpoints', other)).status).toBe(200);
    clock.time += 30_000;
    expect((await ask('GET /endpoints')).status).toBe(200);
    expect((await ask('GET /endpoints')).status).toBe(429);
  });

  it('gives each key of an account a window of its own, and the account five times as much', async () => {
    const limiter = createRateLimiter({ perMinute: 2 });
    const asked = (key: number, account = 'ac_1'): string => {
      try {
        limiter.admit({ apiKeyId: `ak_${key}`, accountId: account }, 0);
        return 'admitted';
      } catch (error) {
        return error instanceof PosternError ? error.code : String(error);
      }
    };
    const admitted = [1, 2, 3, 4, 5].flatMap((key) => [asked(key), asked(key)]);
    expect(new Set(admitted)).toEqual(new Set(['admitted']));
    expect([asked(1), asked(6), asked(6, 'ac_2')]).toEqual(['ERR_NGROK_226', 'ERR_NGROK_226', 'admitted']);
  });

  it('is off at 0', async () => {
    const { ask } = await createApiUnderTest({ rateLimit: { perMinute: 0 } });
    for (let call = 0; call < 20; call += 1) {
      // oxlint-disable-next-line no-await-in-loop
      expect((await ask('GET /api_keys')).status).toBe(200);
    }
  });
});
