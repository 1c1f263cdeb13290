import net from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Inspector, TunnelRefused } from './index.ts';
import { ask, BAD, FakeAgent, inspect, pass as passing, POST, TUNNEL } from './testing/fake-agent.ts';

let agent: FakeAgent;
let inspector: Inspector;
let logged: [object, string][];
beforeEach(async () => {
  agent = new FakeAgent();
  logged = [];
  const log = (fields: object, message: string): void => void logged.push([fields, message]);
  inspector = await inspect(agent, { log: { info: log, warn: log } });
});
afterEach(async () => inspector.close());

const call = (
  ...what: Parameters<typeof ask> extends [Inspector, ...infer Rest] ? Rest : never
): ReturnType<typeof ask> => ask(inspector, ...what);
const pass = (request: string, response: string): void => passing(inspector, request, response);

test('it says where it is before anything else', () => {
  expect(logged).toEqual([[{ obj: 'web', addr: inspector.addr, allow_hosts: [] }, 'starting web service']]);
  expect(inspector.addr).toMatch(/^127\.0\.0\.1:\d+$/);
});

test('tunnels: list, one, start, stop, as wrappers ask', async () => {
  const list = await call('GET', '/api/tunnels');
  expect(list.status).toBe(200);
  expect(list.text).toContain('"public_url":"https://app.test"');
  const zero = { count: 0, rate1: 0, rate5: 0, rate15: 0, p50: 0, p90: 0, p95: 0, p99: 0 };
  expect(list.body).toEqual({
    tunnels: [
      {
        name: 'command_line (http)',
        ID: 'tn_1',
        uri: '/api/tunnels/command_line%20(http)',
        public_url: 'https://app.test',
        proto: 'https',
        config: { addr: 'http://localhost:80', inspect: true },
        metrics: { conns: { ...zero, gauge: 0 }, http: zero },
      },
    ],
    uri: '/api/tunnels',
  });
  expect((await call('GET', '/api/tunnels/command_line%20(http)')).body).toEqual(list.body.tunnels[0]);
  const made = await call('POST', '/api/tunnels', { body: { name: 'two', addr: '3000', proto: 'http' } });
  expect([made.status, made.body.name, made.body.config.addr]).toEqual([201, 'two', '3000']);
  expect((await call('DELETE', '/api/tunnels/two')).status).toBe(204);
  expect((await call('DELETE', '/api/tunnels/two')).status).toBe(404);
  const missing = await call('GET', '/api/tunnels/two');
  expect([missing.status, missing.body]).toEqual([
    404,
    { error_code: 100, status_code: 404, msg: 'not found', details: { err: 'there is no tunnel "two"' } },
  ]);
});

test('endpoints, status and the root', async () => {
  expect((await call('GET', '/api/endpoints')).body.endpoints).toMatchObject([
    { name: TUNNEL.name, url: 'https://app.test', upstream: { url: 'http://localhost:80' }, inspect: true },
  ]);
  expect((await call('GET', '/api/endpoints/command_line%20(http)')).body.metrics.conns.gauge).toBe(0);
  expect((await call('GET', '/api/status')).body).toEqual({
    status: 'online',
    agent_version: '1.2.3',
    session: { legs: [{ region: 'here', latency: '12ms' }] },
    uri: '/api/status',
  });
  expect((await call('GET', '/healthz')).body).toEqual({ status: 'ok' });
  const ready = await call('GET', '/readyz');
  expect([ready.status, ready.body]).toEqual([200, { status: 'online' }]);
  expect((await call('GET', '/api')).body.tunnels_uri).toBe('/api/tunnels');
});

test('refusals come in the envelope with the words that wrappers wait for', async () => {
  agent.refusal = new TunnelRefused(503, 104, 'not yet', 'soon');
  expect((await call('POST', '/api/tunnels', { body: { name: 'x' } })).body).toEqual({
    error_code: 104,
    status_code: 503,
    msg: 'not yet',
    details: { err: 'a successful ngrok tunnel session has not yet been established' },
  });
  agent.refusal = new TunnelRefused(502, 103, 'failed to start tunnel', 'taken');
  expect((await call('POST', '/api/endpoints', { body: {} })).body.details.err).toBe('taken');
});

describe('requests', () => {
  test('as wrappers read them: list, one, again, clear', async () => {
    pass(POST, BAD);
    const list = await call('GET', '/api/requests/http');
    const [seen] = list.body.requests;
    expect(seen).toEqual({
      uri: `/api/requests/http/${seen.id}`,
      id: expect.stringMatching(/^[0-9a-f]{16}$/),
      tunnel_name: TUNNEL.name,
      remote_addr: '192.0.2.7',
      start: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      duration: expect.any(Number),
      request: {
        method: 'POST',
        proto: 'HTTP/1.1',
        headers: { Host: ['app.test'], 'X-One': ['a', 'b'], 'Content-Length': ['7'] },
        uri: '/hook?x=1',
        raw: Buffer.from(POST).toString('base64'),
      },
      response: {
        status: '502 Bad Gateway',
        status_code: 502,
        proto: 'HTTP/1.1',
        headers: { 'Content-Type': ['text/plain'], 'Content-Length': ['4'] },
        raw: Buffer.from(BAD).toString('base64'),
      },
    });
    expect((await call('GET', `/api/requests/http/${seen.id}`)).body).toEqual(seen);
    expect((await call('POST', '/api/requests/http', { body: { id: seen.id } })).status).toBe(204);
    await expect.poll(() => agent.sent[0]).toContain('\r\n\r\n{"a":1}');
    expect(agent.sent[0]).toContain(`\r\nngrok-replay-original-request-id: ${seen.id}\r\n`);
    expect(
      (await call('POST', '/api/requests/http', { body: { id: seen.id, tunnel_name: 'none' } })).body,
    ).toMatchObject({
      status_code: 400,
      details: { err: 'there is no tunnel "none"' },
    });
    expect((await call('DELETE', '/api/requests/http')).status).toBe(204);
    expect((await call('GET', '/api/requests/http')).body.requests).toEqual([]);
    expect((await call('GET', `/api/requests/http/${seen.id}`)).status).toBe(404);
  });

  test('filters, and a search in everything', async () => {
    pass(POST, BAD);
    pass('GET /page HTTP/1.1\r\nHost: app.test\r\nCookie: k=Needle\r\n\r\n', 'HTTP/1.1 204 No Content\r\n\r\n');
    const paths = async (query: string): Promise<unknown> => {
      const { status, body } = await call('GET', `/api/requests/http?${query}`);
      return status === 200
        ? body.requests.map((each: { request: { uri: string } }) => each.request.uri)
        : body.details.err;
    };
    expect(await paths('limit=1')).toEqual(['/page']);
    expect(await paths('method=post')).toEqual(['/hook?x=1']);
    expect(await paths('status=5xx')).toEqual(['/hook?x=1']);
    expect(await paths('status=%3C300,418')).toEqual(['/page']);
    expect(await paths('path=HOOK')).toEqual(['/hook?x=1']);
    expect(await paths('header=needle')).toEqual(['/page']);
    expect(await paths('q=needle')).toEqual(['/page']);
    expect(await paths('q=%22a%22:1')).toEqual(['/hook?x=1']);
    expect(await paths('q=OOPS')).toEqual(['/hook?x=1']);
    expect(await paths('q=nowhere')).toEqual([]);
    expect(await paths('tunnel_name=other')).toEqual([]);
    expect(await paths('min_duration=60000')).toEqual([]);
    expect(await paths('status=often')).toBe('status: "often" is neither a code, 4xx, nor >=400');
    expect(await paths('limit=none')).toContain('limit');
  });

  test('an edited replay sends what was edited, and shows as a request of its own', async () => {
    pass(POST, BAD);
    const [{ id }] = (await call('GET', '/api/inspect/exchanges')).body.exchanges;
    const edits = { method: 'PUT', path: '/other', headers: [['X-New', 'ü'.normalize()]], body: 'new body' };
    expect(
      (await call('POST', `/api/requests/http/${id}/replay`, { body: { ...edits, headers: [['X-New', 'n']] } })).status,
    ).toBe(201);
    await expect.poll(() => agent.sent[0]).toContain('new body');
    expect(agent.sent[0]).toBe(
      `PUT /other HTTP/1.1\r\nhost: app.test\r\nX-New: n\r\ncontent-length: 8\r\nngrok-replay-original-request-id: ${id}\r\nconnection: close\r\n\r\nnew body`,
    );
    await expect
      .poll(async () => (await call('GET', '/api/inspect/exchanges')).body.exchanges[0])
      .toMatchObject({ method: 'PUT', path: '/other', status: 201, outcome: 'done', replayOf: id });
    const refused = async (body: object): Promise<string> =>
      (await call('POST', `/api/requests/http/${id}/replay`, { body })).body.details.err;
    expect(await refused({ headers: [['bad name', 'x']] })).toBe('"bad name" is no name of a header');
    expect(await refused({ headers: [['x', 'a\r\nb: c']] })).toContain('the value of x');
    expect(await refused({ path: '/a b' })).toContain('is no path');
    expect(await refused({ method: 'G T' })).toContain('is no method');
    expect(await refused({ bodi: '' })).toBe('"bodi" is no field of a replay');
  });

  test('what was not kept whole, or changed protocols, is not sent again', async () => {
    pass(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 400000\r\n\r\n${'x'.repeat(400_000)}`, BAD);
    pass(
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
      'HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n',
    );
    const [socket, large] = (await call('GET', '/api/requests/http')).body.requests;
    const err = async (id: string): Promise<string> =>
      (await call('POST', '/api/requests/http', { body: { id } })).body.details.err;
    expect(await err(large.id)).toContain('not kept whole');
    expect(await err(socket.id)).toContain('changes protocols');
  });

  test('as a command of curl, and as HAR', async () => {
    pass(POST.replace('"a":1', `"a":'`), BAD);
    const [{ id }] = (await call('GET', '/api/inspect/exchanges')).body.exchanges;
    expect((await call('GET', `/api/inspect/exchanges/${id}/curl`)).text).toBe(
      `curl 'https://app.test/hook?x=1' \\\n  -X POST \\\n  -H 'x-one: a' \\\n  -H 'X-One: b' \\\n  --data-raw '{"a":'\\''}'\n`,
    );
    const { log } = (await call('GET', '/api/inspect/har?method=POST')).body;
    expect(log).toMatchObject({ version: '1.2', creator: { name: 'Postern', version: '1.2.3' } });
    expect(log.entries).toMatchObject([
      {
        request: { method: 'POST', url: 'https://app.test/hook?x=1', queryString: [{ name: 'x', value: '1' }] },
        response: {
          status: 502,
          statusText: 'Bad Gateway',
          content: { text: 'oops', size: 4, mimeType: 'text/plain' },
        },
      },
    ]);
  });
});

test('news of exchanges and frames come as events', async () => {
  const controller = new AbortController();
  const response = await fetch(`http://${inspector.addr}/api/inspect/news`, { signal: controller.signal });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  let text = '';
  const reading = (async () => {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString();
  })().catch(() => {});
  pass(POST, BAD);
  await expect.poll(() => text).toMatch(/data: \{"changed":\["[0-9a-f]{16}"\],"messages":\[\]\}/);
  await call('DELETE', '/api/requests/http');
  await expect.poll(() => text).toContain('"changed":null');
  controller.abort();
  await reading;
});

test('bounds: bodies, heads, methods, places', async () => {
  const large = await call('POST', '/api/tunnels', { body: { name: 'x'.repeat(9_000_000) } }).catch(() => ({
    status: 413,
  }));
  expect(large.status).toBe(413);
  expect((await call('GET', '/nowhere')).status).toBe(404);
  const wrong = await call('PUT', '/api/tunnels');
  expect([wrong.status, wrong.headers.allow]).toEqual([405, 'GET, POST']);
  expect((await call('GET', `/${'x'.repeat(40_000)}`)).status).toBe(431);
  expect((await call('GET', '/assets/..%2Findex.html')).status).toBe(404);
  expect((await call('GET', '/')).headers.location).toBe('/inspect/http');
  expect((await call('GET', '/inspect/http')).text).toBe('The pages are not here: not built\n');
});

test('a port that is taken leads to the next', async () => {
  const first = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => first.once('listening', resolve));
  const address = first.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const next = await inspect(agent, { webAddr: `127.0.0.1:${port}` });
  expect(Number(next.addr.split(':')[1])).toBeGreaterThan(port);
  await next.close();
  await new Promise((resolve) => first.close(resolve));
});

test('connections are counted whether they are read or not, and nothing is recorded when that is off', async () => {
  const off = await inspect(agent, { dbSize: -1 });
  const info = { clientAddr: '1.1.1.1:1', proto: 'https', behindProxyHeader: false } as const;
  const watch = off.watch({ name: TUNNEL.name, inspect: true })(info);
  expect(Object.keys(watch)).toEqual(['over']);
  expect(off.metrics().conns).toMatchObject({ count: 1, gauge: 1 });
  watch.over();
  expect(off.metrics(TUNNEL.name).conns).toMatchObject({ count: 1, gauge: 0 });
  const first = inspector;
  inspector = off;
  expect((await call('GET', '/api/tunnels')).body.tunnels[0].metrics.conns.count).toBe(1);
  expect((await call('GET', '/api/inspect/status')).body.recording).toBe(false);
  inspector = first;
  await off.close();
});
