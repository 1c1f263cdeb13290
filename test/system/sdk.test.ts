/** The unmodified npm `@ngrok/ngrok` against the platform: protocols, options, what the API shows of them. */
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import tls from 'node:tls';
import zlib from 'node:zlib';
import type ngrok from '@ngrok/ngrok';
import { freePort } from '@postern/edge/testing/free-port';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { selfSigned } from '../support/certificates.ts';
import { exchange } from '../support/exchange.ts';
import { Platform, splitAddress } from '../support/platform.ts';
import { sessionBuilder } from '../support/sdk.ts';
import { until } from '../support/until.ts';
import { type Upstream, httpUpstream, tcpEcho } from '../support/upstream.ts';

let platform: Platform;
let session: ngrok.Session;
let upstream: Awaited<ReturnType<typeof httpUpstream>>;
let echo: Upstream;
let name = 0;
const host = (): string => `sdk${(name += 1)}.example.com`;

beforeAll(async () => {
  platform = await Platform.start();
  upstream = await httpUpstream((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ headers: request.headers, url: request.url, filler: 'x'.repeat(2000) }));
  });
  echo = await tcpEcho();
  session = await sessionBuilder(platform).metadata('session meta').connect();
});
afterAll(async () => {
  // The SDK's close leaves its connection open and silent; the platform goes first, or its drain waits for that.
  await platform?.dispose();
  await session?.close().catch(() => undefined);
  await Promise.all([upstream?.close(), echo?.close()]);
});

/** The agent may reset what the visitor has left. */
const echoing = (socket: tls.TLSSocket): void => void socket.on('error', () => socket.destroy()).pipe(socket);

const headersSeen = (text: string): Record<string, string> =>
  (JSON.parse(text) as { headers: Record<string, string> }).headers;

describe('http', () => {
  test('a random name under the base domain, with its rows in the API', async () => {
    const listener = await session
      .httpEndpoint()
      .metadata('endpoint meta')

      .listenAndForward(upstream.url);
    const url = listener.url() ?? '';
    expect(url).toMatch(/^https:\/\/[a-z0-9-]+\.postern\.localhost$/);
    const answer = await platform.visit(`${url}/x`);
    expect(answer.status).toBe(200);
    expect(headersSeen(answer.text)['host']).toBe(new URL(url).host);

    const list = await platform.api('GET', '/endpoints');
    const row = (list.body.endpoints as Record<string, unknown>[]).find((endpoint) => endpoint['url'] === url);
    expect(row).toMatchObject({
      bindings: ['public'],
      created_at: expect.any(String),
      updated_at: expect.any(String),
      hostport: `${new URL(url).host}:443`,
      id: expect.stringMatching(/^ep_/),
      metadata: 'endpoint meta',
      pooling_enabled: false,
      principal: { id: expect.any(String), uri: expect.any(String) },
      proto: 'https',
      public_url: url,
      type: 'ephemeral',
      upstream_url: expect.any(String),
    });
    // Nobody gave it one.
    expect(row).not.toHaveProperty('name');
    const tunnel = row?.['tunnel'] as { id: string; uri: string };
    expect(tunnel.id.slice(3)).toBe(String(row?.['id']).slice(3));
    for (const key of ['tunnel', 'tunnel_session', 'domain'] as const) {
      const reference = row?.[key] as { id: string; uri: string } | undefined;
      if (key === 'domain' && reference === undefined) continue;
      const got = await platform.api('GET', reference?.uri ?? '');
      expect(got.status, key).toBe(200);
      expect(got.body.id).toBe(reference?.id);
    }
    expect((await platform.api('GET', tunnel.uri)).body).toMatchObject({
      forwards_to: `${upstream.url}/`,
      metadata: 'endpoint meta',
    });
    const owner = row?.['tunnel_session'] as { uri: string };
    expect((await platform.api('GET', owner.uri)).body).toMatchObject({
      metadata: 'session meta',
      agent_version: expect.any(String),
    });
    const got = await platform.api('GET', `/endpoints/${String(row?.['id'])}`);
    expect(got.body).toEqual(row);
    const refused = await platform.api('PATCH', `/endpoints/${String(row?.['id'])}`, { description: 'no' });
    expect(refused.status).toBe(400);
    expect((await platform.api('DELETE', `/endpoints/${String(row?.['id'])}`)).status).toBe(400);
    expect((await platform.visit(url)).status).toBe(200);
    await listener.close();
    await until(async () => (await platform.visit(url)).headers['ngrok-error-code'] === 'ERR_NGROK_3200');
  });

  test('forwards_to is what the agent says it is', async () => {
    const listener = await session.httpEndpoint().forwardsTo('my app').metadata('told').listen();
    const rows = (await platform.api('GET', '/tunnels')).body.tunnels as Record<string, unknown>[];
    expect(rows.find((row) => row['public_url'] === listener.url())).toMatchObject({
      forwards_to: 'my app',
      metadata: 'told',
    });
    await listener.close();
  });

  test('a chosen name, over http', async () => {
    const domain = host();
    await session.httpEndpoint().scheme('HTTP').domain(domain).listenAndForward(upstream.url);
    const answer = await platform.visit(`http://${domain}/`);
    expect(answer.status).toBe(200);
    expect(headersSeen(answer.text)['x-forwarded-proto']).toBe('http');
  });

  test('basic auth', async () => {
    const domain = host();
    await session.httpEndpoint().domain(domain).basicAuth('ngrok', 'online1line').listenAndForward(upstream.url);
    const without = await platform.visit(`https://${domain}/`);
    expect(without.status).toBe(401);
    expect(without.headers['www-authenticate']).toMatch(/^Basic/);
    const wrong = { authorization: `Basic ${Buffer.from('ngrok:online2line').toString('base64')}` };
    expect((await platform.visit(`https://${domain}/`, { headers: wrong })).status).toBe(401);
    const right = { authorization: `Basic ${Buffer.from('ngrok:online1line').toString('base64')}` };
    expect((await platform.visit(`https://${domain}/`, { headers: right })).status).toBe(200);
  });

  test('compression', async () => {
    const domain = host();
    await session.httpEndpoint().domain(domain).compression().listenAndForward(upstream.url);
    const answer = await platform.visit(`https://${domain}/`, { headers: { 'accept-encoding': 'gzip' } });
    expect(answer.headers['content-encoding']).toBe('gzip');
    expect(JSON.parse(zlib.gunzipSync(answer.bytes).toString())).toHaveProperty('filler');
    expect((await platform.visit(`https://${domain}/`)).headers['content-encoding']).toBeUndefined();
  });

  test('header edits', async () => {
    const domain = host();
    await session
      .httpEndpoint()
      .domain(domain)
      .requestHeader('X-Req-Yup', 'true')
      .removeRequestHeader('X-Req-Nope')
      .responseHeader('X-Res-Yup', 'true')
      .removeResponseHeader('content-type')
      .listenAndForward(upstream.url);
    const answer = await platform.visit(`https://${domain}/`, { headers: { 'x-req-nope': 'here' } });
    const seen = headersSeen(answer.text);
    expect(seen['x-req-yup']).toBe('true');
    expect(seen['x-req-nope']).toBeUndefined();
    expect(answer.headers['x-res-yup']).toBe('true');
    expect(answer.headers['content-type']).toBeUndefined();
  });

  test('address rules', async () => {
    const [open, shut] = [host(), host()];
    await session
      .httpEndpoint()
      .domain(open)
      .allowCidr('127.0.0.0/8')
      .allowCidr('::1/128')
      .listenAndForward(upstream.url);
    await session.httpEndpoint().domain(shut).allowCidr('10.0.0.0/8').listenAndForward(upstream.url);
    expect((await platform.visit(`https://${open}/`)).status).toBe(200);
    const refused = await platform.visit(`https://${shut}/`).catch(() => ({ status: 403 }));
    expect(refused.status).toBe(403);
  });

  test('traffic policy as text and as the older object', async () => {
    const [text, object] = [host(), host()];
    await session
      .httpEndpoint()
      .domain(text)
      .trafficPolicy(
        '{"on_http_request":[{"expressions":["req.url.path == \'/teapot\'"],"actions":[{"type":"custom-response","config":{"status_code":418,"body":"tea"}}]}]}',
      )
      .listenAndForward(upstream.url);
    expect((await platform.visit(`https://${text}/teapot`)).status).toBe(418);
    expect((await platform.visit(`https://${text}/`)).status).toBe(200);
    const legacy = {
      inbound: [
        {
          name: 'deny it',
          expressions: ["req.Method == 'PUT'"],
          actions: [{ type: 'deny', config: { status_code: 405 } }],
        },
      ],
      outbound: [{ actions: [{ type: 'add-headers', config: { headers: { 'x-out': '1' } } }] }],
    };
    await session.httpEndpoint().domain(object).policy(JSON.stringify(legacy)).listenAndForward(upstream.url);
    expect((await platform.visit(`https://${object}/`, { method: 'PUT' })).status).toBe(405);
    expect((await platform.visit(`https://${object}/`)).headers['x-out']).toBe('1');
  });

  test('a policy that does not validate, and an option that cannot work, are refused with their code', async () => {
    const bad = session
      .httpEndpoint()
      .domain(host())
      .trafficPolicy('{"on_http_request":[{"actions":[{"type":"nonsense"}]}]}')
      .listen();
    await expect(bad).rejects.toMatchObject({ errorCode: 'ERR_NGROK_9026' });
    const oauth = session.httpEndpoint().domain(host()).oauth('google').listen();
    await expect(oauth).rejects.toThrow(/oauth/i);
  });

  test('an upstream that is not there is 8012', async () => {
    const domain = host();
    await session
      .httpEndpoint()
      .domain(domain)
      .listenAndForward(`http://127.0.0.1:${await freePort()}`);
    const answer = await platform.visit(`https://${domain}/`);
    expect(answer.status).toBe(502);
    expect(answer.headers['ngrok-error-code']).toBe('ERR_NGROK_8012');
  });

  test('two pooled listeners share requests; without pooling the second is refused', async () => {
    const domain = host();
    const other = await httpUpstream((_request, response) => response.end('{"other":true,"headers":{}}'));
    const second = await sessionBuilder(platform).connect();
    try {
      await session.httpEndpoint().domain(domain).poolingEnabled(true).listenAndForward(upstream.url);
      await second.httpEndpoint().domain(domain).poolingEnabled(true).listenAndForward(other.url);
      const answers = new Set<boolean>();
      for (let count = 0; count < 40; count += 1)
        answers.add((await platform.visit(`https://${domain}/`)).text.includes('other'));
      expect(answers).toEqual(new Set([true, false]));
      const alone = host();
      await session.httpEndpoint().domain(alone).listenAndForward(upstream.url);
      await expect(second.httpEndpoint().domain(alone).listen()).rejects.toMatchObject({ errorCode: 'ERR_NGROK_334' });
    } finally {
      await second.close();
      await other.close();
    }
  });
});

describe('tcp and tls', () => {
  test('tcp, with and without a chosen address', async () => {
    const listener = await session.tcpEndpoint().listenAndForward(`tcp://127.0.0.1:${echo.port}`);
    const url = new URL(listener.url() ?? '');
    expect(url.protocol).toBe('tcp:');
    expect(await exchange(net.connect(Number(url.port), '127.0.0.1'), 'over tcp')).toBe('over tcp');
    await listener.close();
    const again = await session.tcpEndpoint().remoteAddr(url.host).listenAndForward(`tcp://127.0.0.1:${echo.port}`);
    expect(again.url()).toBe(url.href.replace(/\/$/, ''));
  });

  test('tls ended at the edge with the agent’s own certificate', async () => {
    const domain = host();
    const own = await selfSigned(domain);
    await session
      .tlsEndpoint()
      .domain(domain)
      .termination(own.cert, own.key)
      .listenAndForward(`tcp://127.0.0.1:${echo.port}`);
    const [address, port] = splitAddress(platform.runtime.https_addr);
    expect(await exchange(tls.connect({ host: address, port, servername: domain, ca: own.cert }), 'mine')).toBe('mine');
  });

  test('tls ended at the edge by a policy, and begun anew to a TLS service', async () => {
    const domain = `tls-by-policy.${String(platform.runtime.base_domains[0])}`;
    const own = await selfSigned(domain);
    const server = tls.createServer({ cert: own.cert, key: own.key }, echoing);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    // The agent learns from the answer alone that plain bytes come, and that its TLS service needs TLS from it.
    await session
      .tlsEndpoint()
      .domain(domain)
      .trafficPolicy('{"on_tcp_connect":[{"actions":[{"type":"terminate-tls","config":{}}]}]}')
      .verifyUpstreamTls(false)
      .listenAndForward(`tls://127.0.0.1:${(server.address() as net.AddressInfo).port}`);
    const [address, port] = splitAddress(platform.runtime.https_addr);
    const ca = await readFile(platform.runtime.ca_path);
    expect(await exchange(tls.connect({ host: address, port, servername: domain, ca }), 'twice')).toBe('twice');
    await new Promise((resolve) => server.close(resolve));
  });

  test('tls passed through to the upstream', async () => {
    const domain = host();
    const own = await selfSigned(domain);
    const server = tls.createServer({ cert: own.cert, key: own.key }, echoing);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await session
      .tlsEndpoint()
      .domain(domain)
      .listenAndForward(`tcp://127.0.0.1:${(server.address() as net.AddressInfo).port}`);
    const [address, port] = splitAddress(platform.runtime.https_addr);
    expect(await exchange(tls.connect({ host: address, port, servername: domain, ca: own.cert }), 'untouched')).toBe(
      'untouched',
    );
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('labels and edges', () => {
  test('a labelled listener is reachable at the edge’s hostport', async () => {
    const backend = await platform.api('POST', '/backends/tunnel_group', { labels: { app: 'shop' } });
    expect(backend.status, backend.text).toBe(201);
    const domain = host();
    const edge = await platform.api('POST', '/edges/https', { hostports: [`${domain}:443`] });
    expect(edge.status, edge.text).toBe(201);
    const route = await platform.api('POST', `/edges/https/${String(edge.body.id)}/routes`, {
      match_type: 'path_prefix',
      match: '/',
      backend: { enabled: true, backend_id: backend.body.id },
    });
    expect(route.status, route.text).toBe(201);
    expect((await platform.visit(`https://${domain}/`)).status).toBeGreaterThanOrEqual(404);
    const listener = await session
      .labeledListener()
      .label('app', 'shop')
      .metadata('labelled')
      .listenAndForward(upstream.url);
    expect(listener.labels()).toEqual({ app: 'shop' });
    expect((await platform.visit(`https://${domain}/`)).status).toBe(200);
    const rows = (await platform.api('GET', '/endpoints')).body.endpoints as Record<string, unknown>[];
    const row = rows.find((candidate) => candidate['hostport'] === `${domain}:443`);
    expect(row).toMatchObject({
      type: 'edge',
      edge: { id: edge.body.id },
      proto: 'https',
      public_url: `https://${domain}`,
      bindings: ['public'],
    });
    const reference = row?.['edge'] as { uri: string };
    expect((await platform.api('GET', reference.uri)).body.id).toBe(edge.body.id);
    expect((await platform.api('GET', `/endpoints/${String(row?.['id'])}`)).body).toEqual(row);
    expect((await platform.api('PATCH', `/endpoints/${String(row?.['id'])}`, { description: 'x' })).status).toBe(400);
    await listener.close();
    await until(async () => (await platform.visit(`https://${domain}/`)).status >= 404);
    const refused = await platform.api('POST', '/edges/https', {
      hostports: [`${host()}:443`],
      mutual_tls: { enabled: true, certificate_authority_ids: [] },
    });
    expect(refused.status).toBe(400);
    expect(refused.body.msg).toContain('mutual_tls');
  });
});

describe('remote control', () => {
  test('stop by API reaches the agent’s handler', async () => {
    let stopped = false;
    const builder = sessionBuilder(platform);
    builder.handleStopCommand(() => {
      stopped = true;
    });
    const other = await builder.connect();
    const listener = await other.httpEndpoint().domain(host()).listenAndForward(upstream.url);
    const rows = (await platform.api('GET', '/endpoints')).body.endpoints as {
      url: string;
      tunnel_session: { id: string };
    }[];
    const id = rows.find((row) => row.url === listener.url())?.tunnel_session.id ?? '';
    const answer = await platform.api('POST', `/tunnel_sessions/${id}/stop`, {});
    expect(answer.status, answer.text).toBe(204);
    await until(() => stopped);
    const refused = await platform.api('POST', `/tunnel_sessions/${id}/update`, {});
    expect(refused.body.error_code).toMatch(/^ERR_NGROK_80\d$/);
    await other.close();
  });
});
