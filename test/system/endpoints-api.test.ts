/**
 * The five calls of the Endpoints API as documented, on a platform whose public ports are 80 and 443. Expected
 * documents are our own, with the documented keys.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agentOf } from '../support/agent.ts';
import { Platform } from '../support/platform.ts';

let platform: Platform;
beforeAll(async () => {
  platform = await Platform.start();
});
afterAll(() => platform.dispose());

const ID = /^ep_[0-9A-Za-z]{27}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const DENY = '{"on_http_request":[{"actions":[{"type":"deny","config":{"status_code":404}}]}]}';

describe('the documented calls', () => {
  let created: Record<string, unknown>;

  test('create answers 201 with every documented key', async () => {
    const answer = await platform.api('POST', '/endpoints', {
      bindings: ['public'],
      description: 'sample cloud endpoint',
      metadata: '{"environment": "staging"}',
      traffic_policy: DENY,
      type: 'cloud',
      url: 'https://endpoint-example2.com:443',
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(answer.headers.get('ngrok-operation-id')).toMatch(/^op_[0-9A-Za-z]{27}$/);
    created = answer.body as Record<string, unknown>;
    const { id, created_at, updated_at, domain, uri, principal, ...rest } = created as Record<string, never>;
    expect(id).toMatch(ID);
    expect(created_at).toMatch(TIME);
    expect(updated_at).toBe(created_at);
    expect(uri).toBe(`${platform.runtime.api_url}/endpoints/${String(id)}`);
    expect(domain).toEqual({
      id: expect.stringMatching(/^rd_[0-9A-Za-z]{27}$/),
      uri: expect.stringContaining('/reserved_domains/rd_'),
    });
    expect(principal).toEqual({ id: expect.any(String), uri: expect.any(String) });
    expect(rest).toEqual({
      bindings: ['public'],
      description: 'sample cloud endpoint',
      hostport: 'endpoint-example2.com:443',
      host: 'endpoint-example2.com',
      port: 443,
      scheme: 'https',
      metadata: '{"environment": "staging"}',
      pooling_enabled: false,
      proto: 'https',
      public_url: 'https://endpoint-example2.com',
      traffic_policy: DENY,
      type: 'cloud',
      url: 'https://endpoint-example2.com',
    });
  });

  test('get equals what create returned', async () => {
    const answer = await platform.api('GET', `/endpoints/${String(created['id'])}`);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(created);
  });

  test('list holds it, in the documented envelope', async () => {
    const answer = await platform.api('GET', '/endpoints');
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      endpoints: [created],
      next_page_uri: null,
      uri: `${platform.runtime.api_url}/endpoints`,
    });
  });

  test('update changes one field and returns the whole', async () => {
    const route = `/endpoints/${String(created['id'])}`;
    const answer = await platform.api('PATCH', route, { description: 'Sample Cloud Endpoint' });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      ...created,
      description: 'Sample Cloud Endpoint',
      updated_at: expect.stringMatching(TIME),
    });
    const got = await platform.api('GET', route);
    expect(got.body).toEqual(answer.body);
  });

  test('every reference of it answers with that id', async () => {
    for (const value of Object.values(created)) {
      if (typeof value !== 'object' || value === null || !('uri' in value)) continue;
      const reference = value as { id: string; uri: string };
      if (reference.uri === '') {
        // People have no uri in the published samples either.
        expect(reference.id).toMatch(/^usr_/);
        continue;
      }
      const answer = await platform.api('GET', reference.uri);
      expect(answer.status, reference.uri).toBe(200);
      expect(answer.body.id).toBe(reference.id);
    }
  });

  test('delete answers 204 without a body; a second one 404', async () => {
    const route = `/endpoints/${String(created['id'])}`;
    const answer = await platform.api('DELETE', route);
    expect(answer.status).toBe(204);
    expect(answer.text).toBe('');
    const again = await platform.api('DELETE', route);
    expect(again.status).toBe(404);
    expect(again.body).toEqual({
      status_code: 404,
      msg: expect.any(String),
      details: { operation_id: expect.stringMatching(/^op_/) },
    });
  });
});

describe('what is refused', () => {
  const policy = DENY;
  const cases: [title: string, body: unknown, code: string][] = [
    ['wrong type', { url: 'https://a.example.com', type: 'ephemeral', traffic_policy: policy }, 'ERR_NGROK_248'],
    ['no policy', { url: 'https://a.example.com' }, 'ERR_NGROK_18011'],
    [
      'policy that does not validate',
      { url: 'https://a.example.com', traffic_policy: '{"on_http_request":[{}]}' },
      'ERR_NGROK_18002',
    ],
    [
      'policy without an end',
      { url: 'https://a.example.com', traffic_policy: '{"on_http_request":[]}' },
      'ERR_NGROK_18002',
    ],
    ['unknown field', { url: 'https://a.example.com', traffic_policy: policy, colour: 'red' }, 'ERR_NGROK_214'],
    ['number for text', { url: 7, traffic_policy: policy }, 'ERR_NGROK_215'],
    ['unknown scheme', { url: 'ftp://a.example.com', traffic_policy: policy }, 'ERR_NGROK_18022'],
    ['path', { url: 'https://a.example.com/', traffic_policy: policy }, 'ERR_NGROK_9038'],
    ['other port', { url: 'https://a.example.com:8444', traffic_policy: policy }, 'ERR_NGROK_18023'],
    [
      'tcp without port',
      { url: 'tcp://localhost', traffic_policy: '{"on_tcp_connect":[{"actions":[{"type":"deny"}]}]}' },
      'ERR_NGROK_18003',
    ],
    [
      'unknown binding',
      { url: 'https://a.example.com', traffic_policy: policy, bindings: ['private'] },
      'ERR_NGROK_15005',
    ],
    [
      'binding twice',
      { url: 'https://a.example.com', traffic_policy: policy, bindings: ['public', 'public'] },
      'ERR_NGROK_15006',
    ],
    [
      'long description',
      { url: 'https://a.example.com', traffic_policy: policy, description: 'x'.repeat(256) },
      'ERR_NGROK_18012',
    ],
    [
      'long metadata',
      { url: 'https://a.example.com', traffic_policy: policy, metadata: 'x'.repeat(4097) },
      'ERR_NGROK_18013',
    ],
  ];
  test.each(cases)('%s', async (_title, body, code) => {
    const answer = await platform.api('POST', '/endpoints', body);
    expect(answer.body).toMatchObject({ error_code: code, status_code: 400 });
    expect(answer.status).toBe(400);
    for (const value of Object.values(answer.body.details as object)) expect(typeof value).toBe('string');
    const list = await platform.api('GET', '/endpoints');
    expect(list.body.endpoints).toEqual([]);
  });

  test('empty bodies and texts that are not JSON', async () => {
    for (const [body, code] of [
      ['', 'ERR_NGROK_213'],
      ['{', 'ERR_NGROK_213'],
      ['[]', 'ERR_NGROK_213'],
    ] as const) {
      const answer = await platform.api('POST', '/endpoints', body, { 'content-type': 'application/json' });
      expect(answer.status).toBe(400);
      expect(answer.body.error_code).toBe(code);
    }
  });

  test('ids that are none, and ids of nothing', async () => {
    const malformed = await platform.api('GET', '/endpoints/nonsense');
    expect(malformed.status).toBe(404);
    expect(malformed.body.error_code).toBe('ERR_NGROK_222');
    const unknown = await platform.api('GET', '/endpoints/ep_000000000000000000000000000');
    expect(unknown.status).toBe(404);
    expect(unknown.body.error_code).toBeUndefined();
  });

  test('an update without a change, and one of the scheme', async () => {
    const created = await platform.api('POST', '/endpoints', {
      url: 'https://patch.example.com',
      traffic_policy: policy,
    });
    expect(created.status).toBe(201);
    expect(created.body.type).toBe('cloud');
    const route = `/endpoints/${String(created.body.id)}`;
    expect((await platform.api('PATCH', route, {})).body.error_code).toBe('ERR_NGROK_18004');
    expect((await platform.api('PATCH', route, { url: 'http://patch.example.com' })).body.error_code).toBe(
      'ERR_NGROK_18005',
    );
    const cleared = await platform.api('PATCH', route, { description: '', metadata: null });
    expect(cleared.status).toBe(200);
    expect(cleared.body).not.toHaveProperty('description');
    const twice = await platform.api('POST', '/endpoints', {
      url: 'https://PATCH.example.com:443',
      traffic_policy: policy,
    });
    expect(twice.body.error_code).toBe('ERR_NGROK_18017');
    const domain = await platform.api('DELETE', `/reserved_domains/${String(created.body.domain.id)}`);
    expect(domain.body.error_code).toBe('ERR_NGROK_446');
    expect((await platform.api('DELETE', route)).status).toBe(204);
  });
});

test('250 endpoints of all three types page without loss or doubles while others come and go', async () => {
  const policy = DENY;
  const create = async (name: string): Promise<string> => {
    const url = `https://${name}.page.example.com`;
    const answer = await platform.api('POST', '/endpoints', { url, traffic_policy: policy });
    expect(answer.status, answer.text).toBe(201);
    return answer.body.id as string;
  };
  const stable = new Set<string>();
  const agent = agentOf(platform);
  const publish = async (name: string): Promise<string> => {
    const listener = await agent.listen({ url: `https://${name}.agent.example.com`, upstream: 'http://127.0.0.1:9' });
    const found = await platform.api('GET', `/endpoints?url=${encodeURIComponent(listener.url)}`);
    return found.body.endpoints[0].id as string;
  };
  const edge = async (name: string): Promise<string> => {
    const hostport = `${name}.edge.example.com:443`;
    const made = await platform.api('POST', '/edges/https', { hostports: [hostport] });
    expect(made.status, made.text).toBe(201);
    const found = await platform.api('GET', `/endpoints?url=${encodeURIComponent(`https://${name}.edge.example.com`)}`);
    return found.body.endpoints[0].id as string;
  };
  // The types are made in turn, so that their ids lie between each other.
  for (let start = 0; start < 250; start += 25) {
    const ids = await Promise.all(Array.from({ length: 15 }, (_, index) => create(`s${start + index}`)));
    ids.push(...(await Promise.all(Array.from({ length: 6 }, (_, index) => publish(`s${start + index}`)))));
    ids.push(...(await Promise.all(Array.from({ length: 4 }, (_, index) => edge(`s${start + index}`)))));
    for (const id of ids) stable.add(id);
  }
  expect(stable.size).toBe(250);
  const churning = new AbortController();
  const churn = (async () => {
    for (let round = 0; !churning.signal.aborted; round += 1) {
      const [id, listener] = await Promise.all([
        create(`churn${round}`),
        agent.listen({ url: `https://churn${round}.agent.example.com`, upstream: 'http://127.0.0.1:9' }),
      ]);
      await Promise.all([platform.api('DELETE', `/endpoints/${id}`), listener.close()]);
    }
  })();
  const seen: { id: string; type: string }[] = [];
  for (let next: string | null = '/endpoints?limit=17'; next !== null;) {
    const answer = await platform.api('GET', next);
    expect(answer.status).toBe(200);
    const page = answer.body.endpoints as { id: string; type: string }[];
    expect(page.length).toBeGreaterThan(0);
    seen.push(...page);
    next = answer.body.next_page_uri as string | null;
  }
  churning.abort();
  await churn;
  await agent.close();
  const ids = seen.map((row) => row.id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.filter((id) => stable.has(id)).length).toBe(250);
  expect(ids).toEqual(ids.toSorted().toReversed());
  expect(new Set(seen.map((row) => row.type))).toEqual(new Set(['cloud', 'ephemeral', 'edge']));
}, 120_000);
