/** The local API of `postern http`: what a visitor asked is there, and can be sent again. */
import http from 'node:http';
import { freePort } from '@postern/edge/testing/free-port';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Platform } from '../support/platform.ts';
import { portOf } from '../support/port-of.ts';
import { Tunnel } from '../support/tunnel.ts';
import { until } from '../support/until.ts';
import { http2Upstream } from '../support/upstream.ts';

let platform: Platform;
let service: http.Server;
let asked: { readonly url: string; readonly body: string; readonly replayOf: string | undefined }[];

beforeAll(async () => {
  platform = await Platform.start();
  asked = [];
  service = http.createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.once('end', () => {
      const marker = request.headers['ngrok-replay-original-request-id'];
      asked.push({ url: request.url ?? '', body, replayOf: marker?.toString() });
      response.writeHead(request.url === '/missing' ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ heard: body }));
    });
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await platform.dispose();
  service.closeAllConnections();
  await new Promise((resolve) => service.close(resolve));
});

/** `postern http` with its local API on a free port. */
async function share(...flags: readonly string[]): ReturnType<typeof shareOf> {
  return shareOf(portOf(service), flags);
}

async function shareOf(
  port: number,
  flags: readonly string[],
): Promise<{ readonly tunnel: Tunnel; readonly api: string; readonly url: string }> {
  const args = ['http', String(port), '--web-addr', '127.0.0.1:0', '--log-format', 'logfmt', ...flags];
  const tunnel = Tunnel.beside(platform, args);
  const api = await until(() => /msg="starting web service" obj=web addr=(\S+)/.exec(tunnel.stdout)?.[1] ?? null);
  const url = await until(() => /msg="started tunnel".* url=(\S+)/.exec(tunnel.stdout)?.[1] ?? null);
  return { tunnel, api: `http://${api}`, url };
}

// Tests read answers freely; what they expect of them is what they assert.
// oxlint-disable-next-line typescript/no-explicit-any
async function get(url: string): Promise<any> {
  return (await fetch(url)).json();
}

test('what visitors ask is listed, searched, replayed and cleared', async () => {
  const { tunnel, api, url } = await share();
  const [shown] = (await get(`${api}/api/tunnels`)).tunnels;
  expect(shown).toMatchObject({ name: 'command_line', public_url: url, proto: 'https' });
  expect((await get(`${api}/api/status`)).status).toBe('online');

  await platform.visit(`${url}/missing`);
  await platform.visit(`${url}/hook?a=1`, { method: 'POST', body: '{"needle":true}' });
  const { requests } = await until(async () => {
    const list = await get(`${api}/api/requests/http`);
    return list.requests.length === 2 && list.requests[0].response !== null ? list : null;
  });
  expect(requests[0]).toMatchObject({
    tunnel_name: 'command_line',
    remote_addr: '127.0.0.1',
    request: { method: 'POST', uri: '/hook?a=1' },
    response: { status: '200 OK', status_code: 200 },
  });
  expect(Buffer.from(requests[0].request.raw, 'base64').toString()).toContain('\r\n\r\n{"needle":true}');
  expect(requests[1].response.status_code).toBe(404);
  const found = await get(`${api}/api/requests/http?q=NEEDLE`);
  expect(found.requests.map(({ id }: { id: string }) => id)).toEqual([requests[0].id]);

  const again = await fetch(`${api}/api/requests/http`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ id: requests[0].id, tunnel_name: 'command_line' }),
  });
  expect(again.status).toBe(204);
  await until(() => asked.find(({ replayOf }) => replayOf === requests[0].id) ?? null);
  expect(asked.at(-1)).toEqual({ url: '/hook?a=1', body: '{"needle":true}', replayOf: requests[0].id });

  // It is counted when it has been answered, which the agent hears later than the service that asked it.
  const metrics = await until(async () => {
    const [{ metrics: now }] = (await get(`${api}/api/tunnels`)).tunnels;
    return now.http.count < 3 ? null : now;
  });
  expect(metrics.http.count).toBe(3);
  expect(metrics.conns.count).toBeGreaterThanOrEqual(2);
  expect((await fetch(`${api}/api/requests/http`, { method: 'DELETE' })).status).toBe(204);
  expect((await get(`${api}/api/requests/http`)).requests).toEqual([]);
  await tunnel.stop();
});

test('a service that is not there shows as 502, with the reason', async () => {
  const port = await freePort();
  const tunnel = Tunnel.beside(platform, ['http', String(port), '--web-addr=127.0.0.1:0', '--log-format=json']);
  const addr = await until(() => /"addr":"([^"]+)","allow_hosts"/.exec(tunnel.stdout)?.[1] ?? null);
  const url = await until(() => /"url":"([^"]+)"/.exec(tunnel.stdout)?.[1] ?? null);
  await platform.visit(url);
  const list = await until(async () => {
    const { requests } = await get(`http://${addr}/api/requests/http`);
    return requests[0]?.response ? requests : null;
  });
  expect(list[0].response.status_code).toBe(502);
  expect(Buffer.from(list[0].response.raw, 'base64').toString()).toContain('ECONNREFUSED');
  await tunnel.stop();
});

test('--inspect=false keeps nothing, --web-addr=false serves nothing', async () => {
  const { tunnel, api, url } = await share('--inspect=false');
  await platform.visit(url);
  const [shown] = (await get(`${api}/api/tunnels`)).tunnels;
  expect(shown.config.inspect).toBe(false);
  expect((await get(`${api}/api/requests/http`)).requests).toEqual([]);
  await tunnel.stop();

  const silent = Tunnel.beside(platform, ['http', String(portOf(service)), '--web-addr=false', '--log-format=logfmt']);
  await until(() => /msg="started tunnel"/.exec(silent.stdout)?.[0] ?? null);
  expect(silent.stdout).not.toContain('web service');
  await silent.stop();
});

test('a second agent takes the next port', async () => {
  const first = await share();
  const port = new URL(first.api).port;
  const second = Tunnel.beside(platform, [
    'http',
    String(portOf(service)),
    `--web-addr=127.0.0.1:${port}`,
    '--log-format=logfmt',
  ]);
  const addr = await until(
    () => /starting web service" obj=web addr=127\.0\.0\.1:(\d+)/.exec(second.stdout)?.[1] ?? null,
  );
  expect(Number(addr)).toBeGreaterThan(Number(port));
  await Promise.all([first.tunnel.stop(), second.stop()]);
});

test('start --none: programs start and stop tunnels as files of version 2 and 3 write them', async () => {
  const agent = Tunnel.beside(platform, ['start', '--none', '--log=stdout', '--web-addr=127.0.0.1:0']);
  const addr = await until(() => /"starting web service" obj=web addr=(\S+)/.exec(agent.stdout)?.[1] ?? null);
  const post = async (kind: string, body: object) => {
    const response = await fetch(`http://${addr}/api/${kind}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    // What it answers is what is asserted.
    // oxlint-disable-next-line typescript/no-explicit-any
    return { status: response.status, body: (await response.json()) as any };
  };
  const made = await until(async () => {
    const answer = await post('tunnels', { name: 'web', proto: 'http', addr: portOf(service), hostname: 'web.test' });
    if (answer.status === 201) return answer.body;
    expect(answer).toMatchObject({
      status: 503,
      body: { details: { err: 'a successful ngrok tunnel session has not yet been established' } },
    });
    return null;
  });
  expect(made).toMatchObject({ name: 'web', public_url: 'https://web.test', config: { inspect: true } });
  expect((await platform.visit('https://web.test/')).status).toBe(200);
  await until(
    async () => (await get(`http://${addr}/api/requests/http?tunnel_name=web`)).requests[0]?.response ?? null,
  );

  expect(await post('tunnels', { name: 'web', proto: 'http', addr: 80 })).toMatchObject({
    status: 400,
    body: { error_code: 102, msg: 'invalid tunnel configuration', details: { err: 'A tunnel web is there already.' } },
  });
  expect((await post('tunnels', { name: 'odd', addr: 80, adr: 1 })).body.details.err).toContain('adr');
  expect((await post('tunnels', { addr: 80 })).body.details.err).toBe('The tunnel has no name.');
  const taken = await post('endpoints', { name: 'two', url: 'https://web.test', upstream: { url: '80' } });
  expect(taken).toMatchObject({ status: 502, body: { error_code: 103, msg: 'failed to start tunnel' } });
  expect(taken.body.details.err).toContain('ERR_NGROK_334');
  const endpoint = await post('endpoints', { name: 'two', url: 'https://two.test', upstream: { url: '80' } });
  expect(endpoint).toMatchObject({ status: 201, body: { name: 'two', url: 'https://two.test' } });
  expect((await fetch(`http://${addr}/api/tunnels/web`, { method: 'DELETE' })).status).toBe(204);
  expect((await get(`http://${addr}/api/endpoints`)).endpoints.map(({ name }: { name: string }) => name)).toEqual([
    'two',
  ]);
  await agent.stop();
});

test('a service that speaks HTTP/2 is looked at like others', async () => {
  const upstream = await http2Upstream((stream, headers) => {
    stream.respond({ ':status': 202, 'content-type': 'text/plain', 'x-path': headers[':path'] });
    stream.pipe(stream);
  });
  const { tunnel, api, url } = await shareOf(upstream.port, ['--upstream-protocol', 'http2']);
  for (const path of ['/one', '/two']) {
    const { status, text } = await platform.visit(`${url}${path}`, { method: 'POST', body: `needle of ${path}` });
    expect([status, text]).toEqual([202, `needle of ${path}`]);
  }
  const { requests } = await until(async () => {
    const list = await get(`${api}/api/requests/http?q=needle+of`);
    return list.requests.length === 2 && list.requests[0].response !== null ? list : null;
  });
  expect(requests[0]).toMatchObject({
    request: { method: 'POST', uri: '/two', proto: 'HTTP/2' },
    response: { status_code: 202, headers: { 'X-Path': ['/two'] } },
  });
  const body = JSON.stringify({ id: requests[0].id });
  const again = await fetch(`${api}/api/requests/http`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
  });
  expect(again.status).toBe(400);
  expect(await again.text()).toContain('speaks HTTP/2');
  await tunnel.stop();
  await upstream.close();
});
