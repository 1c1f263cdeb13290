import { describe, expect, it } from 'vitest';
import { BASE, createApiUnderTest, idsOf } from '../testing/api-under-test.ts';
import { idOf } from '../testing/fake-control.ts';

const TEXTS = { description: 'acme', metadata: '{"environment": "staging"}' };
const CREATED = '2025-09-04T10:11:35Z';

/** Collection, list key, what is created, and every member of the published sample besides id, uri and created_at. */
const CASES: readonly (readonly [path: string, listKey: string, body: object, sample: object])[] = [
  [
    '/reserved_domains',
    'reserved_domains',
    { domain: 'myapp.example.com', region: 'us', ...TEXTS },
    {
      ...TEXTS,
      domain: 'myapp.example.com',
      region: 'us',
      cname_target: null,
      certificate: null,
      certificate_management_policy: null,
      certificate_management_status: null,
      acme_challenge_cname_target: null,
      error_redirect_url: null,
      http_endpoint_configuration: null,
      https_endpoint_configuration: null,
      is_dev: false,
    },
  ],
  [
    '/reserved_addrs',
    'reserved_addrs',
    { region: 'us', description: 'SSH' },
    { description: 'SSH', addr: 'localhost:20000', region: 'us', endpoint_configuration: null },
  ],
  ['/bot_users', 'bot_users', { name: 'robot' }, { name: 'robot', active: true }],
  ['/service_users', 'service_users', { name: 'robot', active: false }, { name: 'robot', active: false }],
  [
    '/backends/tunnel_group',
    'backends',
    { ...TEXTS, labels: { baz: 'qux', foo: 'bar' } },
    {
      ...TEXTS,
      labels: { baz: 'qux', foo: 'bar' },
      tunnels: [{ id: idOf('tn', 2), uri: `${BASE}/tunnels/${idOf('tn', 2)}` }],
    },
  ],
  [
    '/edges/https',
    'https_edges',
    { ...TEXTS, hostports: ['example.com:443'] },
    { ...TEXTS, hostports: ['example.com:443'], mutual_tls: null, tls_termination: null, routes: [] },
  ],
  [
    '/edges/tls',
    'tls_edges',
    { ...TEXTS, hostports: ['example.com:443'] },
    {
      ...TEXTS,
      hostports: ['example.com:443'],
      backend: null,
      ip_restriction: null,
      mutual_tls: null,
      policy: null,
      tls_termination: null,
      traffic_policy: null,
    },
  ],
  [
    '/edges/tcp',
    'tcp_edges',
    TEXTS,
    { ...TEXTS, hostports: null, backend: null, ip_restriction: null, policy: null, traffic_policy: null },
  ],
];

describe('resources of five verbs', () => {
  it.each(CASES)('%s', async (path, listKey, body, sample) => {
    const { ask } = await createApiUnderTest();
    const created = await ask(`POST ${path}`, { body });
    const id = String(created.json['id']);
    expect(created.status).toBe(201);
    expect(created.json).toEqual({ id, uri: `${BASE}${path}/${id}`, created_at: CREATED, ...sample });

    expect((await ask(`GET ${path}/${id}`)).json).toEqual(created.json);
    expect((await ask(`GET ${path}`)).json).toEqual({
      [listKey]: [created.json],
      uri: `${BASE}${path}`,
      next_page_uri: null,
    });
    const field = path.endsWith('_users') ? 'name' : 'description';
    const updated = await ask(`PATCH ${path}/${id}`, { body: { id, [field]: 'changed' } });
    expect([updated.status, updated.json]).toEqual([200, { ...created.json, [field]: 'changed' }]);
    expect((await ask(`DELETE ${path}/${id}`)).status).toBe(204);
    expect((await ask(`GET ${path}/${id}`)).status).toBe(404);
    expect((await ask(`PATCH ${path}/${id}`, { body: {} })).status).toBe(404);
    expect((await ask(`DELETE ${path}/${id}`)).status).toBe(404);
  });

  it.each([
    ['/credentials', 'credentials', { acl: [] }],
    ['/api_keys', 'keys', {}],
  ])('%s give the token once', async (path, listKey, more) => {
    const { ask } = await createApiUnderTest();
    const { json } = await ask(`POST ${path}`, { body: { description: 'dev', owner_id: idOf('service', 4) } });
    const id = String(json['id']);
    expect(json).toEqual({
      id,
      uri: `${BASE}${path}/${id}`,
      created_at: CREATED,
      description: 'dev',
      token: `${id.split('_')[1]}_714PgnmX8vJX5wufhtV57`,
      // Either prefix names a user; the stored one comes back.
      owner_id: idOf('bot', 4),
      ...more,
    });
    const updated = await ask(`PATCH ${path}/${id}`, { body: { metadata: 'm' } });
    expect(updated.json).toEqual({ ...json, metadata: 'm', token: null });
    expect((await ask(`GET ${path}`)).json[listKey]).toEqual([updated.json]);
    // owner_id is a field of create only.
    expect((await ask(`PATCH ${path}/${id}`, { body: { owner_id: 'x' } })).json['error_code']).toBe('ERR_NGROK_214');
  });

  it('serves one store of users under two paths and two prefixes', async () => {
    const { ask } = await createApiUnderTest();
    const bot = await ask('POST /bot_users', { body: { name: 'ci' } });
    const id = String(bot.json['id']);
    expect(id).toMatch(/^bot_/);
    const service = id.replace('bot_', 'service_');
    for (const spelling of [id, service]) {
      // oxlint-disable-next-line no-await-in-loop
      expect((await ask(`GET /service_users/${spelling}`)).json).toEqual({
        ...bot.json,
        id: service,
        uri: `${BASE}/service_users/${service}`,
      });
    }
    const before = await ask(`GET /service_users?before_id=${idOf('service', 900)}`);
    expect(idsOf(before.json['service_users'])).toEqual([service]);
    const changed = await ask(`PATCH /service_users/${service}`, { body: { active: false } });
    expect(changed.json).toMatchObject({ id: service, active: false });
    expect((await ask('POST /service_users', { body: { name: 'two' } })).json['id']).toMatch(/^service_/);
    expect((await ask(`DELETE /service_users/${service}`)).status).toBe(204);
    expect((await ask(`GET /bot_users/${id}`)).status).toBe(404);
  });
});

describe('tunnels', () => {
  it('show an address or labels', async () => {
    const { ask } = await createApiUnderTest();
    const session = { id: idOf('ts', 1), uri: `${BASE}/tunnel_sessions/${idOf('ts', 1)}` };
    const common = { forwards_to: 'http://localhost:80', region: 'us', started_at: CREATED, tunnel_session: session };
    const endpoint = { id: idOf('ep', 1), uri: `${BASE}/endpoints/${idOf('ep', 1)}` };
    expect((await ask('GET /tunnels')).json).toEqual({
      tunnels: [
        { ...common, id: idOf('tn', 2), labels: { baz: 'qux', foo: 'bar' } },
        { ...common, id: idOf('tn', 1), endpoint, proto: 'https', public_url: 'https://app.example.com' },
      ],
      uri: `${BASE}/tunnels`,
      next_page_uri: null,
    });
    expect((await ask(`GET /tunnels/${idOf('tn', 1)}`)).json).toMatchObject({ endpoint });
    expect((await ask(`POST /tunnels`, { body: {} })).json['error_code']).toBe('ERR_NGROK_90095');
  });
});

describe('tunnel sessions', () => {
  const id = idOf('ts', 1);

  it('show the agent', async () => {
    const { ask } = await createApiUnderTest();
    expect((await ask(`GET /tunnel_sessions/${id}`)).json).toEqual({
      agent_version: '3.30.0',
      credential: { id: idOf('cr', 9), uri: `${BASE}/credentials/${idOf('cr', 9)}` },
      id,
      ip: '127.0.0.1',
      os: 'linux',
      region: 'us',
      started_at: CREATED,
      transport: 'ngrok/2',
      uri: `${BASE}/tunnel_sessions/${id}`,
    });
  });

  it.each(['stop', 'restart', 'update'])('%s whatever the body is', async (action) => {
    const { ask, sessions } = await createApiUnderTest();
    const target = `POST /tunnel_sessions/${id}/${action}`;
    const bodies = [
      {},
      { body: {} },
      { body: id, headers: { 'content-type': 'application/json' } },
      { body: 'x', headers: { 'content-type': 'text/plain' } },
    ];
    for (const ask1 of bodies) {
      // oxlint-disable-next-line no-await-in-loop
      const reply = await ask(target, ask1);
      expect([reply.status, reply.text]).toEqual([204, '']);
    }
    expect(sessions.stopped).toHaveLength(bodies.length);
    const unknown = await ask(`POST /tunnel_sessions/${idOf('ts', 8)}/${action}`);
    expect([unknown.status, unknown.json['msg'], unknown.json['error_code']]).toEqual([
      404,
      'Resource not found',
      undefined,
    ]);
  });
});

describe('edges', () => {
  it.each(['tls', 'tcp'])('%s: the backend comes in the body and at its own path', async (kind) => {
    const { ask } = await createApiUnderTest();
    const backendId = idOf('bkdtg', 3);
    const module = {
      enabled: true,
      backend: { id: backendId, uri: `${BASE}/backends/tunnel_group/${backendId}` },
    };
    const created = await ask(`POST /edges/${kind}`, { body: { backend: { backend_id: backendId } } });
    expect(created.json['backend']).toEqual(module);
    const path = `/edges/${kind}/${String(created.json['id'])}`;
    expect((await ask(`GET ${path}/backend`)).json).toEqual(module);

    const off = await ask(`PUT ${path}/backend`, { body: { id: 'x', backend_id: backendId, enabled: false } });
    expect([off.status, off.json]).toEqual([200, { ...module, enabled: false }]);
    // npm's client wraps the module.
    const on = await ask(`PUT ${path}/backend`, { body: { module: { backend_id: backendId, enabled: true } } });
    expect(on.json).toEqual(module);
    // null keeps.
    expect((await ask(`PATCH ${path}`, { body: { backend: null, traffic_policy: null } })).json['backend']).toEqual(
      module,
    );

    expect((await ask(`DELETE ${path}/backend`)).status).toBe(204);
    expect((await ask(`DELETE ${path}/backend`)).status).toBe(404);
    expect((await ask(`GET ${path}/backend`)).status).toBe(404);
    expect((await ask(`GET ${path}`)).json['backend']).toBeNull();
    expect((await ask(`PUT ${path}/backend`, { body: {} })).json['error_code']).toBe('ERR_NGROK_215');
    const unknown = `/edges/${kind}/${idOf(`edg${kind}`, 99)}/backend`;
    expect((await ask(`PUT ${unknown}`, { body: { backend_id: backendId } })).status).toBe(404);
  });

  it('https: routes carry the backend', async () => {
    const { ask } = await createApiUnderTest();
    const backendId = idOf('bkdtg', 3);
    const edge = await ask('POST /edges/https', { body: { hostports: ['example.com:443'] } });
    const edgePath = `/edges/https/${String(edge.json['id'])}`;
    expect((await ask('POST /edges/https', { body: { backend: {} } })).json['error_code']).toBe('ERR_NGROK_214');

    const route = await ask(`POST ${edgePath}/routes`, {
      body: { edge_id: edge.json['id'], match: '/', match_type: 'path_prefix', ...TEXTS },
    });
    const id = String(route.json['id']);
    const modules = [
      'backend',
      'circuit_breaker',
      'compression',
      'ip_restriction',
      'oauth',
      'oidc',
      'policy',
      'request_headers',
      'response_headers',
      'saml',
      'traffic_policy',
      'user_agent_filter',
      'webhook_verification',
      'websocket_tcp_converter',
    ];
    expect([route.status, route.json]).toEqual([
      201,
      {
        id,
        edge_id: edge.json['id'],
        created_at: CREATED,
        match: '/',
        match_type: 'path_prefix',
        ...TEXTS,
        uri: `${BASE}${edgePath}/routes/${id}`,
        ...Object.fromEntries(modules.map((name) => [name, null])),
      },
    ]);
    const path = `${edgePath}/routes/${id}`;
    expect((await ask(`GET ${path}`)).json).toEqual(route.json);
    expect((await ask(`GET ${edgePath}`)).json['routes']).toEqual([route.json]);
    const body = { edge_id: 'x', id: 'y', match: '/api', backend: { backend_id: backendId, enabled: true } };
    const updated = await ask(`PATCH ${path}`, { body });
    expect(updated.json).toMatchObject({ match: '/api', backend: { enabled: true, backend: { id: backendId } } });
    expect((await ask(`GET ${path}/backend`)).json).toEqual(updated.json['backend']);
    for (const module of modules.slice(1)) {
      // oxlint-disable-next-line no-await-in-loop
      const refused = await ask(`PATCH ${path}`, { body: { [module]: { enabled: true } } });
      expect([refused.json['error_code'], refused.json['msg']]).toEqual([
        'ERR_NGROK_90021',
        expect.stringContaining(`"${module}"`),
      ]);
      for (const method of ['GET', 'PUT', 'DELETE']) {
        // oxlint-disable-next-line no-await-in-loop
        expect((await ask(`${method} ${path}/${module}`)).json['error_code']).toBe('ERR_NGROK_90021');
      }
    }
    expect((await ask(`DELETE ${path}`)).status).toBe(204);
    expect((await ask(`DELETE ${path}`)).status).toBe(404);
    const elsewhere = `POST /edges/https/${idOf('edghts', 99)}/routes`;
    expect((await ask(elsewhere, { body: { match: '/', match_type: 'path_prefix' } })).status).toBe(404);
  });
});

describe('the root', () => {
  it('names what is served', async () => {
    const { ask } = await createApiUnderTest();
    const { status, json } = await ask('GET /');
    expect([status, json['version']]).toEqual([200, '0.0.0-test']);
    expect(json['resources']).toMatchObject({ endpoints: `${BASE}/endpoints`, 'edges/tls': `${BASE}/edges/tls` });
    expect((await ask('GET /', { headers: { authorization: '' } })).status).toBe(403);
  });
});

describe('fields that are published and not served', () => {
  it.each([
    ['/reserved_domains', { domain: 'a.example.com' }, { certificate_id: '', resolves_to: [] }],
    ['/reserved_domains', { domain: 'a.example.com' }, { certificate_management_policy: {} }],
    ['/edges/tls', {}, { traffic_policy: { value: '' } }],
  ])('%s %j takes empty values of them, as clients send all that they know', async (path, body, empty) => {
    const { ask } = await createApiUnderTest();
    const created = await ask(`POST ${path}`, { body: { ...body, ...empty } });
    expect(created.status).toBe(201);
    const updated = await ask(`PATCH ${path}/${String(created.json['id'])}`, { body: { description: 'x', ...empty } });
    expect(updated.status).toBe(200);
  });
});
