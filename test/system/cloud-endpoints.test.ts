/** Cloud endpoints carry traffic the moment the API has answered. */
import net from 'node:net';
import tls from 'node:tls';
import type ngrok from '@ngrok/ngrok';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exchange } from '../support/exchange.ts';
import { Platform, splitAddress } from '../support/platform.ts';
import { sessionBuilder } from '../support/sdk.ts';
import { type Upstream, httpUpstream, tcpEcho } from '../support/upstream.ts';

let platform: Platform;
beforeAll(async () => {
  platform = await Platform.start();
});
afterAll(() => platform.dispose());

const deny = '{"on_http_request":[{"actions":[{"type":"deny","config":{"status_code":404}}]}]}';

describe('https', () => {
  test('lives, changes and dies with its resource', async () => {
    const url = 'https://cloud.example.com';
    const before = await platform.visit('http://cloud.example.com/');
    expect(before.status).toBe(404);
    expect(before.headers['ngrok-error-code']).toBe('ERR_NGROK_3200');

    const created = await platform.api('POST', '/endpoints', { url, traffic_policy: deny });
    expect(created.status).toBe(201);
    expect((await platform.visit(url)).status).toBe(404);
    expect((await platform.visit(url)).headers['ngrok-error-code']).toBeUndefined();

    const policy = {
      on_http_request: [
        {
          actions: [
            {
              type: 'custom-response',
              config: { status_code: 418, body: 'short and stout', headers: { 'x-pot': 'tea' } },
            },
          ],
        },
      ],
    };
    const route = `/endpoints/${String(created.body.id)}`;
    expect((await platform.api('PATCH', route, { traffic_policy: JSON.stringify(policy) })).status).toBe(200);
    const changed = await platform.visit(`${url}/any?thing`);
    expect(changed.status).toBe(418);
    expect(changed.text).toBe('short and stout');
    expect(changed.headers['x-pot']).toBe('tea');

    expect((await platform.api('DELETE', route)).status).toBe(204);
    const gone = await platform.visit('https://cloud.example.com/').catch((error: Error) => error);
    // The name is still reserved, so its certificate is still served, and the page tells.
    expect(gone).toMatchObject({ status: 404, headers: { 'ngrok-error-code': 'ERR_NGROK_3200' } });
  });

  test('counts, calls, remembers, rewrites and redirects, as its policy says', async () => {
    const answer = (body: string): object => ({ type: 'custom-response', config: { body } });
    const inner = { on_http_request: [{ actions: [answer('hello ${req.url.query_params["who"][0]}')] }] };
    const create = (url: string, policy: object): ReturnType<Platform['api']> =>
      platform.api('POST', '/endpoints', { url, traffic_policy: JSON.stringify(policy) });
    expect((await create('https://greets.internal', inner)).status).toBe(201);
    const limit = {
      name: 'few',
      algorithm: 'sliding_window',
      capacity: 2,
      rate: '60s',
      bucket_key: ["getReqHeader('x-who')"],
    };
    const policy = {
      on_http_request: [
        {
          expressions: ["req.url.path == '/old'"],
          actions: [{ type: 'redirect', config: { from: '/old', to: '/new', status_code: 308 } }],
        },
        {
          expressions: ["req.url.path.startsWith('/site/')"],
          actions: [
            { type: 'url-rewrite', config: { from: '^https://([a-z]+)\\.[^/]+/site/(.*)', to: '/$1/$2' } },
            { type: 'http-request', config: { url: 'https://greets.internal/?who=${req.url.path}' } },
            answer('${actions.ngrok.http_request.res.body}'),
          ],
        },
        {
          actions: [
            { type: 'rate-limit', config: limit },
            { type: 'set-vars', config: { vars: [{ n: '${1 + 1}' }] } },
          ],
        },
        {
          expressions: ['vars.n == 2'],
          actions: [
            {
              type: 'http-request',
              config: { url: 'https://greets.internal/?who=${getReqHeader("x-who")[0]}' },
            },
            answer('${actions.ngrok.http_request.res.body}, ${vars.n}'),
          ],
        },
        { actions: [{ type: 'deny' }] },
      ],
    };
    const created = await create('https://acts.example.com', policy);
    expect(created.status, JSON.stringify(created.body)).toBe(201);
    const visit = (who: string, path = '/') =>
      platform.visit(`https://acts.example.com${path}`, { headers: { 'x-who': who } });
    const moved = await visit('ann', '/old?a=b');
    expect([moved.status, moved.headers.location]).toEqual([308, 'https://acts.example.com/new?a=b']);
    expect((await visit('ann', '/site/map')).text).toBe('hello /acts/map');
    expect((await visit('ann')).text).toBe('hello ann, 2');
    expect((await visit('ann')).status).toBe(200);
    const limited = await visit('ann');
    expect([limited.status, Number(limited.headers['retry-after']) > 0]).toEqual([429, true]);
    expect((await visit('bob')).text).toBe('hello bob, 2');
  });

  test('tells whoever runs the server what its policy logs, and answers by who asks', async () => {
    const log = (metadata: object): object => ({ type: 'log', config: { metadata } });
    const policy = {
      on_tcp_connect: [{ actions: [log({ greeting: '${conn.tls.ja4_fingerprint}' })] }],
      on_http_request: [
        {
          expressions: ['req.user_agent.is_bot'],
          actions: [log({ robot: '${req.user_agent.name}', at: '${req.url.path}' }), { type: 'deny' }],
        },
        { actions: [{ type: 'custom-response', config: { body: 'for people' } }] },
      ],
      on_http_response: [{ actions: [log({ status: '${res.status_code}' })] }],
    };
    const url = 'https://tells.example.com';
    const created = await platform.api('POST', '/endpoints', { url, traffic_policy: JSON.stringify(policy) });
    expect(created.status, JSON.stringify(created.body)).toBe(201);
    const visit = (agent: string) => platform.visit(`${url}/somewhere`, { headers: { 'user-agent': agent } });
    expect((await visit('Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)')).status).toBe(403);
    expect((await visit('curl/8.4.0')).text).toBe('for people');
    const told = (): unknown[] =>
      platform.output
        .split('\n')
        .filter((line) => line.includes('a policy tells') && line.includes(String(created.body.id)))
        .map((line) => (JSON.parse(line) as { fields: unknown }).fields);
    await expect.poll(told).toHaveLength(5);
    expect(told()).toEqual([
      { phase: 'on_tcp_connect', metadata: { greeting: expect.stringMatching(/^t1[23]d\d{4}/) } },
      { phase: 'on_http_request', metadata: { robot: 'Googlebot', at: '/somewhere' } },
      { phase: 'on_http_response', metadata: { status: 403 } },
      { phase: 'on_tcp_connect', metadata: { greeting: expect.any(String) } },
      { phase: 'on_http_response', metadata: { status: 200 } },
    ]);
  });

  test('keeps a connection open over a policy change', async () => {
    const url = 'https://keep.example.com';
    const created = await platform.api('POST', '/endpoints', { url, traffic_policy: deny });
    const agent = new (await import('node:https')).Agent({ keepAlive: true, maxSockets: 1 });
    try {
      expect((await platform.visit(url, { agent })).status).toBe(404);
      const policy =
        'on_http_request:\n  - actions:\n      - type: custom-response\n        config: { status_code: 200, content: yes }\n';
      expect(
        (await platform.api('PATCH', `/endpoints/${String(created.body.id)}`, { traffic_policy: policy })).status,
      ).toBe(200);
      expect((await platform.visit(url, { agent })).text).toBe('yes');
    } finally {
      agent.destroy();
    }
  });

  test('answers offline pages in the form that was asked for', async () => {
    const html = await platform.visit('http://nobody.example.com/', { headers: { accept: 'text/html,*/*' } });
    expect(html.headers['content-type']).toContain('text/html');
    expect(html.text).toContain('ERR_NGROK_3200');
    const json = await platform.visit('http://nobody.example.com/', { headers: { accept: 'application/json' } });
    expect(JSON.parse(json.text)).toMatchObject({ error_code: 'ERR_NGROK_3200', status_code: 404 });
    const text = await platform.visit('http://nobody.example.com/');
    expect(text.headers['content-type']).toContain('text/plain');
  });

  test('a host that is online over https only sends plain HTTP there', async () => {
    await platform.api('POST', '/endpoints', { url: 'https://only-https.example.com', traffic_policy: deny });
    const answer = await platform.visit('http://only-https.example.com/a?b=c');
    expect([answer.status, answer.headers['location']]).toEqual([307, 'https://only-https.example.com/a?b=c']);
  });
});

describe('forwarding to internal agent endpoints', () => {
  let upstreams: Upstream[] = [];
  let session: ngrok.Session;
  beforeAll(async () => {
    session = await sessionBuilder(platform).connect();
  });
  afterAll(async () => {
    // The SDK's close leaves its connection open and silent; the platform goes first, or its drain waits for that.
    await platform.dispose();
    await session.close().catch(() => undefined);
    await Promise.all(upstreams.map((upstream) => upstream.close()));
    upstreams = [];
  });

  test('https to https keeps the public host and says who came', async () => {
    const upstream = await httpUpstream((request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ headers: request.headers, url: request.url }));
    });
    upstreams.push(upstream);
    await session.httpEndpoint().domain('app.internal').binding('internal').listenAndForward(upstream.url);
    const policy = {
      on_http_request: [{ actions: [{ type: 'forward-internal', config: { url: 'https://app.internal' } }] }],
    };
    await platform.api('POST', '/endpoints', {
      url: 'https://front.example.com',
      traffic_policy: JSON.stringify(policy),
    });
    const answer = await platform.visit('https://front.example.com/path?q=1', {
      headers: { 'x-forwarded-for': '9.9.9.9' },
    });
    expect(answer.status, answer.text).toBe(200);
    const seen = JSON.parse(answer.text) as { headers: Record<string, string>; url: string };
    expect(seen.url).toBe('/path?q=1');
    expect(seen.headers['host']).toBe('front.example.com');
    expect(seen.headers['x-forwarded-host']).toBe('front.example.com');
    expect(seen.headers['x-forwarded-proto']).toBe('https');
    expect(seen.headers['x-forwarded-for']).toMatch(/127\.0\.0\.1$|::1$/);
  });

  test('tcp and tls', async () => {
    const echo = await tcpEcho();
    upstreams.push(echo);
    const address = await platform.api('POST', '/reserved_addrs', {});
    expect(address.status).toBe(201);
    // Internal tcp endpoints are an agent's: our own CLI names them; the SDK names them by remote address.
    await session
      .tlsEndpoint()
      .domain('bytes.internal')
      .binding('internal')
      .listenAndForward(`tcp://127.0.0.1:${echo.port}`);
    const forward = (url: string): string =>
      JSON.stringify({ on_tcp_connect: [{ actions: [{ type: 'forward-internal', config: { url } }] }] });
    const created = await platform.api('POST', '/endpoints', {
      url: `tcp://${String(address.body.addr)}`,
      traffic_policy: forward('tls://bytes.internal'),
    });
    expect(created.status, created.text).toBe(201);
    expect(created.body.tcp_addr.id).toBe(address.body.id);
    const port = splitAddress(address.body.addr as string)[1];
    expect(await exchange(net.connect(port, '127.0.0.1'), 'hello tcp')).toBe('hello tcp');

    const secure = await platform.api('POST', '/endpoints', {
      url: 'tls://raw.example.com',
      traffic_policy: JSON.stringify({
        on_tcp_connect: [
          {
            actions: [{ type: 'terminate-tls' }, { type: 'forward-internal', config: { url: 'tls://bytes.internal' } }],
          },
        ],
      }),
    });
    expect(secure.status, secure.text).toBe(201);
    const [host, tlsPort] = splitAddress(platform.runtime.https_addr);
    const socket = tls.connect({ host, port: tlsPort, servername: 'raw.example.com', ca: platform.ca });
    expect(await exchange(socket, 'hello tls')).toBe('hello tls');
  });
});
