import { describe, expect, it } from 'vitest';
import { BASE, createApiUnderTest } from '../testing/api-under-test.ts';
import { endpointView, idOf } from '../testing/fake-control.ts';

const POLICY = '{"on_http_request":[{"actions":[{"type":"deny","config":{"status_code":404}}]}]}';
const METADATA = '{"environment": "staging"}';
const DOCUMENTED_BODY = {
  bindings: ['public'],
  description: 'sample cloud endpoint',
  metadata: METADATA,
  traffic_policy: POLICY,
  type: 'cloud',
  url: 'https://endpoint-example2.com:443',
};

function documentedAnswer(id: string, description: string): object {
  return {
    bindings: ['public'],
    created_at: '2025-09-04T10:11:35Z',
    description,
    hostport: 'endpoint-example2.com:443',
    id,
    metadata: METADATA,
    pooling_enabled: false,
    proto: 'https',
    public_url: 'https://endpoint-example2.com',
    traffic_policy: POLICY,
    type: 'cloud',
    updated_at: '2025-09-04T10:11:35Z',
    uri: `${BASE}/endpoints/${id}`,
    url: 'https://endpoint-example2.com',
    // In the original field table, though in no published sample.
    scheme: 'https',
    host: 'endpoint-example2.com',
    port: 443,
  };
}

describe('endpoints', () => {
  it('answers the five documented calls', async () => {
    const { ask, calls } = await createApiUnderTest();

    const created = await ask('POST /endpoints', { body: DOCUMENTED_BODY });
    const id = String(created.json['id']);
    expect(created.status).toBe(201);
    expect(created.json).toEqual(documentedAnswer(id, 'sample cloud endpoint'));
    expect(calls.at(-1)).toEqual({
      name: 'endpoints.create',
      input: {
        bindings: ['public'],
        description: 'sample cloud endpoint',
        metadata: METADATA,
        trafficPolicy: POLICY,
        type: 'cloud',
        url: 'https://endpoint-example2.com:443',
      },
    });

    const got = await ask(`GET /endpoints/${id}`);
    expect([got.status, got.text]).toEqual([200, created.text]);

    const updated = await ask(`PATCH /endpoints/${id}`, { body: { description: 'Sample Cloud Endpoint' } });
    expect(updated.status).toBe(200);
    expect(updated.json).toEqual(documentedAnswer(id, 'Sample Cloud Endpoint'));

    const listed = await ask('GET /endpoints');
    expect([listed.status, listed.json]).toEqual([
      200,
      { endpoints: [updated.json], next_page_uri: null, uri: `${BASE}/endpoints` },
    ]);

    const removed = await ask(`DELETE /endpoints/${id}`);
    expect([removed.status, removed.text, removed.headers['content-type']]).toEqual([204, '', undefined]);
    expect((await ask(`DELETE /endpoints/${id}`)).json).toEqual({
      status_code: 404,
      msg: 'Resource not found',
      details: { operation_id: expect.stringMatching(/^op_/) },
    });
  });

  it('shows an agent row with every documented key and its refs', async () => {
    const { ask, endpoints } = await createApiUnderTest();
    endpoints.push(
      endpointView({
        id: idOf('ep', 5),
        url: 'https://app.example.com',
        type: 'ephemeral',
        name: 'command_line',
        upstreamUrl: 'http://localhost:80',
        upstreamProtocol: 'http2',
        principalId: 'usr_32ELAUA7XkJHRP2DgH2JjDRLp81',
        tunnelId: idOf('tn', 5),
        tunnelSessionId: idOf('ts', 5),
        domainId: idOf('rd', 5),
      }),
    );
    expect((await ask(`GET /endpoints/${idOf('ep', 5)}`)).json).toMatchObject({
      type: 'ephemeral',
      name: 'command_line',
      upstream_url: 'http://localhost:80',
      upstream_proto: 'http2',
      upstream_protocol: 'http2',
      principal: { id: 'usr_32ELAUA7XkJHRP2DgH2JjDRLp81', uri: '' },
      tunnel: { id: idOf('tn', 5), uri: `${BASE}/tunnels/${idOf('tn', 5)}` },
      tunnel_session: { id: idOf('ts', 5), uri: `${BASE}/tunnel_sessions/${idOf('ts', 5)}` },
      domain: { id: idOf('rd', 5), uri: `${BASE}/reserved_domains/${idOf('rd', 5)}` },
    });
  });

  it('shows an edge row with the path of its kind, and a bot as a resource', async () => {
    const { ask, endpoints } = await createApiUnderTest();
    endpoints.push(
      endpointView({
        id: idOf('ep', 6),
        url: 'tcp://localhost:20001',
        type: 'edge',
        edge: { id: idOf('edgtcp', 6), kind: 'tcp' },
        tcpAddrId: idOf('ra', 6),
        principalId: idOf('bot', 6),
        region: 'us',
      }),
    );
    const { json } = await ask(`GET /endpoints/${idOf('ep', 6)}`);
    expect(json).toMatchObject({
      edge: { id: idOf('edgtcp', 6), uri: `${BASE}/edges/tcp/${idOf('edgtcp', 6)}` },
      tcp_addr: { id: idOf('ra', 6), uri: `${BASE}/reserved_addrs/${idOf('ra', 6)}` },
      principal: { id: idOf('bot', 6), uri: `${BASE}/bot_users/${idOf('bot', 6)}` },
      port: 20001,
      region: 'us',
    });
    expect(Object.keys(json)).not.toContain('description');
    expect(Object.keys(json)).not.toContain('traffic_policy');
  });

  it('takes null as absent, keeps "" and tolerates the repeated id', async () => {
    const { ask, calls, endpoints } = await createApiUnderTest();
    const id = idOf('ep', 1);
    endpoints.push(endpointView({ id, url: 'https://a.example.com' }));
    const body = { id: 'anything', url: null, description: '', traffic_policy: null, bindings: [] };
    expect((await ask(`PATCH /endpoints/${id}`, { body })).status).toBe(200);
    expect(calls.at(-1)).toEqual({ name: 'endpoints.update', input: { description: '', bindings: [] } });
    // `id` is a path parameter only where the path has it.
    expect((await ask('POST /endpoints', { body: { id } })).json['error_code']).toBe('ERR_NGROK_214');
  });

  it('hands on which ids and urls are asked for, by either spelling', async () => {
    const { ask, calls } = await createApiUnderTest();
    await ask('GET /endpoints?id=ep_a&ids=ep_b&url=https%3A%2F%2Fa.example.com&limit=7&before_id=ep_z');
    expect(calls.at(-1)).toEqual({
      name: 'endpoints.list',
      input: { ids: ['ep_a', 'ep_b'], urls: ['https://a.example.com'], limit: 7, beforeId: 'ep_z' },
    });
  });
});
