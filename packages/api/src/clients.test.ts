import { describe, expect, it } from 'vitest';
import { createApiUnderTest } from './testing/api-under-test.ts';
import { endpointView, idOf } from './testing/fake-control.ts';

const PYTHON = { 'user-agent': 'ngrok-api-python/0.19.0/3.11.2' };
const NPM = { 'user-agent': 'ngrok-api-typescript/0.10.0/v20' };
const GO = { 'user-agent': 'ngrok-api-go/9.0.0' };

describe('what published clients cannot bear', () => {
  it('empty texts are there for Python, and references as before', async () => {
    const { ask, endpoints } = await createApiUnderTest();
    endpoints.push(endpointView({ id: idOf('ep', 1), url: 'https://a.example.com' }));
    const python = (await ask(`GET /endpoints/${idOf('ep', 1)}`, { headers: PYTHON })).json;
    const texts = ['region', 'metadata', 'description', 'upstream_url', 'upstream_protocol', 'name', 'traffic_policy'];
    for (const name of texts) expect(python[name], name).toBe('');
    expect(python).not.toHaveProperty('domain');
    const others = (await ask(`GET /endpoints/${idOf('ep', 1)}`, { headers: GO })).json;
    for (const name of texts) expect(others, name).not.toHaveProperty(name);

    const list = (await ask('GET /tunnels', { headers: PYTHON })).json['tunnels'];
    expect(list).toEqual([
      expect.objectContaining({ public_url: '', proto: '', metadata: '', labels: { foo: 'bar', baz: 'qux' } }),
      expect.objectContaining({ public_url: 'https://app.example.com', metadata: '', labels: {} }),
    ]);
    const made = await ask('POST /reserved_domains', { headers: PYTHON, body: { domain: 'a.example.com' } });
    expect(made.json).toMatchObject({ description: '', metadata: '', region: '' });
  });

  it.each([
    ['Python', PYTHON, 200, 204],
    ['npm', NPM, 200, 200],
    ['everybody else', GO, 204, 204],
  ])('%s: an action answers as it can bear, and a delete', async (_name, headers, action, removal) => {
    const { ask } = await createApiUnderTest();
    const stopped = await ask(`POST /tunnel_sessions/${idOf('ts', 1)}/stop`, { headers });
    expect([stopped.status, stopped.text]).toEqual([action, action === 200 ? '{}' : '']);
    const { json } = await ask('POST /reserved_domains', { headers, body: { domain: 'a.example.com' } });
    const removed = await ask(`DELETE /reserved_domains/${String(json['id'])}`, { headers });
    expect([removed.status, removed.text]).toEqual([removal, removal === 200 ? '{}' : '']);
  });
});

describe('what clients send', () => {
  it.each([
    ['a version', { version: '3.31.0' }, '3.31.0'],
    ['no body', undefined, ''],
    ['the bare id', 'ts_1', ''],
    ['{}', {}, ''],
    ['another kind', { version: 3 }, ''],
  ])('an update with %s', async (_name, body, version) => {
    const { ask, sessions } = await createApiUnderTest();
    const reply = await ask(`POST /tunnel_sessions/${idOf('ts', 1)}/update`, body === undefined ? {} : { body });
    expect(reply.status).toBe(204);
    expect(sessions.versions).toEqual([version]);
  });

  // As Terraform, Python, the published command line and older clients send them.
  it.each([
    [
      '/reserved_domains',
      { domain: 'a.example.com', certificate_id: '', certificate_management_policy: null, resolves_to: [] },
    ],
    ['/reserved_domains', { domain: 'a.example.com', name: '', region: '', http_endpoint_configuration_id: '' }],
    ['/reserved_addrs', { description: '', metadata: '', region: '', endpoint_configuration_id: '' }],
    ['/credentials', { description: '', metadata: '', acl: [], owner_id: '', owner_email: '', precomputed_token: '' }],
    ['/api_keys', { description: '', metadata: '', owner_id: '', owner_email: '', scim_user_id: '' }],
    ['/bot_users', { name: 'ci', active: null }],
    [
      '/edges/tls',
      { hostports: [], backend: null, mutual_tls: null, ip_restriction: { enabled: null, ip_policy_ids: [] } },
    ],
  ])('%s is made with its empty fields: %j', async (path, body) => {
    const { ask } = await createApiUnderTest();
    const made = await ask(`POST ${path}`, { body });
    expect([made.status, made.text]).toEqual([201, expect.any(String)]);
  });

  it('an update that names only what is not there changes nothing, and is no mistake', async () => {
    const { ask, calls } = await createApiUnderTest();
    const { json } = await ask('POST /reserved_domains', { body: { domain: 'a.example.com' } });
    const path = `/reserved_domains/${String(json['id'])}`;
    expect(await ask(`PATCH ${path}`, { body: { resolves_to: [] } })).toMatchObject({ status: 200, json });
    expect(calls.map(({ name }) => name)).not.toContain('reservedDomains.update');
    const asked = await ask(`PATCH ${path}`, { body: { resolves_to: [{ value: 'us' }] } });
    expect(asked.json['error_code']).toBe('ERR_NGROK_90076');
    const filter = encodeURIComponent('obj.certificate_management_policy == null && obj.is_dev == false');
    expect((await ask(`GET /reserved_domains?filter=${filter}`)).json['reserved_domains']).toEqual([json]);
  });

  it('half of a surrogate pair is refused: it would be another text after a restart', async () => {
    const { ask } = await createApiUnderTest();
    for (const body of ['{"name":"a\\ud800"}', '{"a\\udc00":1}']) {
      // oxlint-disable-next-line no-await-in-loop
      const { status, json } = await ask('POST /bot_users', { body, headers: { 'content-type': 'application/json' } });
      expect([status, json['error_code']]).toEqual([400, 'ERR_NGROK_213']);
    }
    const pair = await ask('POST /bot_users', {
      body: '{"name":"\\ud83d\\udeaa"}',
      headers: { 'content-type': 'application/json' },
    });
    expect(pair.json['name']).toBe('\u{1F6AA}');
  });

  it('parts of a domain that are not there are no error, and a domain that is not there is one', async () => {
    const { ask } = await createApiUnderTest();
    const { json } = await ask('POST /reserved_domains', { body: { domain: 'a.example.com' } });
    for (const part of ['certificate', 'certificate_management_policy']) {
      // oxlint-disable-next-line no-await-in-loop
      expect((await ask(`DELETE /reserved_domains/${String(json['id'])}/${part}`)).status).toBe(204);
      // oxlint-disable-next-line no-await-in-loop
      expect((await ask(`DELETE /reserved_domains/${idOf('rd', 900)}/${part}`)).status).toBe(404);
    }
  });

  it('a key that was deleted while the body came does nothing any more', async () => {
    const { ask, control } = await createApiUnderTest();
    const known = control.authenticateApiKey.bind(control);
    let calls = 0;
    control.authenticateApiKey = async (bearer) => {
      calls += 1;
      if (calls > 1) throw new Error('deleted');
      return known(bearer);
    };
    expect((await ask('POST /reserved_domains', { body: { domain: 'a.example.com' } })).status).toBe(500);
    control.authenticateApiKey = known;
    expect((await ask('GET /reserved_domains')).json['reserved_domains']).toEqual([]);
  });
});
