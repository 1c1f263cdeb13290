/** One server follows another: on the same data and addresses, while the first still finishes what it has in flight. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Platform, splitAddress } from '../support/platform.ts';
import { sessionBuilder, type SdkProcess, sdkProcess } from '../support/sdk.ts';
import { until } from '../support/until.ts';
import { httpUpstream, type Upstream } from '../support/upstream.ts';

/** Seconds for which agents are awaited: time for a busy machine to start a server and ask it. */
const AWAY_S = 15;
const closing: (() => unknown)[] = [];
let first: Platform;
let upstream: Upstream;
beforeEach(async () => {
  upstream = await httpUpstream((request, response) => {
    if (request.url !== '/events') {
      response.end('served');
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: 0\n\n');
    let count = 0;
    const timer = setInterval(() => response.write(`data: ${++count}\n\n`), 100);
    response.on('close', () => clearInterval(timer));
  });
  // A stream of events has to outlast the start of the next server, which takes long on a busy machine.
  first = await Platform.start({ args: ['--drain-timeout=120'] });
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  await first.dispose();
  await upstream.close();
});

const answering = (body: string): string =>
  JSON.stringify({
    on_http_request: [{ actions: [{ type: 'custom-response', config: { status_code: 200, body } }] }],
  });

async function agent(domain: string): Promise<SdkProcess> {
  const started = await sdkProcess(first, { upstream: upstream.url, domain, schemes: ['http'] });
  closing.push(() => started.kill('SIGKILL'));
  return started;
}

/** The server that follows, on the same data and addresses. */
async function successor(platform: Platform): Promise<Platform> {
  const next = await Platform.start({ dataDir: platform.dataDir, listen: platform.sameAddresses });
  closing.push(() => next.stop());
  return next;
}

const complaints = (platform: Platform): string[] =>
  platform.output.split('\n').filter((line) => /"level":"(warn|error)"/.test(line));

/** The list of names that agents serve has these, on disk. */
async function written(...names: readonly string[]): Promise<void> {
  await until(async () => {
    const text = await readFile(path.join(first.dataDir, 'agents.json'), 'utf8');
    return names.every((name) => text.includes(name));
  });
}

interface EventStream {
  /** What has come so far. */
  readonly text: () => string;
  readonly ended: () => boolean;
  readonly leave: () => void;
}

/** An event stream through `platform`. */
function events(platform: Platform, host: string): EventStream {
  const [address, port] = splitAddress(platform.runtime.http_addr);
  let text = '';
  let ended = false;
  const request = http.get({ host: address, port, path: '/events', headers: { host }, agent: false }, (response) => {
    response.on('data', (chunk: Buffer) => (text += String(chunk)));
    response.on('error', () => {}).on('close', () => (ended = true));
  });
  request.on('error', () => (ended = true));
  const leave = (): void => void request.destroy();
  closing.push(leave);
  return { text: () => text, ended: () => ended, leave };
}

describe('a second server', () => {
  test('takes over while the first finishes an event stream; agents without visitors come at once', async () => {
    await first.api('POST', '/endpoints', { url: 'http://cloud.test', traffic_policy: answering('cloud') });
    await agent('busy.test');
    await agent('free.test');
    const stream = events(first, 'busy.test');
    await until(() => stream.text().includes('data: 1'));
    const ended = once(first.process, 'exit');
    first.process.kill('SIGTERM');
    const next = await successor(first);
    expect(next.runtime).toEqual({ ...first.runtime, pid: next.process.pid });
    expect((await next.visit('http://cloud.test/')).text).toBe('cloud');
    await until(async () => (await next.visit('http://free.test/')).text === 'served');
    // The first still carries its stream.
    expect(first.process.exitCode).toBeNull();
    const before = stream.text().length;
    await until(() => stream.text().length > before);
    expect(stream.ended()).toBe(false);
    // Changes go to the second, whose data directory it is by now.
    expect(
      (await next.api('POST', '/endpoints', { url: 'http://new.test', traffic_policy: answering('new') })).status,
    ).toBe(201);
    stream.leave();
    expect(await ended).toEqual([0, null]);
    await until(async () => (await next.visit('http://busy.test/')).text === 'served');
    const file = await readFile(path.join(first.dataDir, 'runtime.json'), 'utf8');
    expect(JSON.parse(file)).toEqual(next.runtime);
    expect(complaints(first)).toEqual([]);
    expect(complaints(next)).toEqual([]);
  });

  test('is refused, clearly, while the first is not leaving', async () => {
    await expect(successor(first)).rejects.toThrow(/ended with code 2:[\s\S]*--agent-listen .*the port is taken/);
    await expect(Platform.start({ dataDir: first.dataDir })).rejects.toThrow(
      `Another process (pid ${first.runtime.pid}) uses the data directory ${first.dataDir}`,
    );
    expect((await first.api('GET', '/endpoints')).status).toBe(200);
  });

  test('the metrics listener says "stopping" until it is wanted', async () => {
    await agent('busy.test');
    const stream = events(first, 'busy.test');
    await until(() => stream.text().includes('data: 1'));
    first.process.kill('SIGTERM');
    const ready = async (): Promise<string> => (await fetch(`${first.runtime.metrics_url}/readyz`)).text();
    await until(async () => (await ready()) === 'stopping\n');
    await successor(first);
    expect(await ready()).toBe('ready\n');
  });
});

describe.each(['SIGTERM', 'SIGKILL'] as const)('after %s', (signal) => {
  test('names whose agents are away answer 503 with Retry-After, until they are back or the time is over', async () => {
    const agents = [
      await agent('away.test'),
      await sdkProcess(first, { upstream: upstream.url, domain: 'secure.test', schemes: ['https'] }),
    ];
    await written('away.test', 'secure.test');
    // They do not notice the end of the server, and then they are gone.
    await Promise.all(agents.map((each) => each.kill('SIGSTOP')));
    await first.stop(signal);
    await Promise.all(agents.map((each) => each.kill('SIGKILL')));
    const next = await Platform.start({ dataDir: first.dataDir, args: [`--agent-return-timeout=${AWAY_S}`] });
    closing.push(() => next.stop());
    for (const url of ['http://away.test/', 'https://secure.test/', 'http://secure.test/']) {
      const { status, headers } = await next.visit(url);
      expect([url, status, headers['ngrok-error-code']]).toEqual([url, 503, 'ERR_NGROK_90019']);
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    }
    expect((await next.visit('http://never.test/')).status).toBe(404);
    // One comes back and leaves like anybody.
    const back = await sdkProcess(next, { upstream: upstream.url, domain: 'away.test', schemes: ['http'] });
    expect((await next.visit('http://away.test/')).text).toBe('served');
    await back.kill('SIGKILL');
    await until(async () => (await next.visit('http://away.test/')).status === 404);
    // The other never does.
    await until(async () => (await next.visit('http://secure.test/')).status === 404);
  });
});

test('an edge whose tunnels are away answers 503 with Retry-After, until they are back or the time is over', async () => {
  const backend = await first.api('POST', '/backends/tunnel_group', { labels: { app: 'shop' } });
  const edges = await Promise.all(
    ['shop.test', 'empty.test'].map((name) => first.api('POST', '/edges/https', { hostports: [`${name}:443`] })),
  );
  for (const edge of edges) {
    const route = await first.api('POST', `/edges/https/${String(edge.body.id)}/routes`, {
      match_type: 'path_prefix',
      match: '/',
      backend: { enabled: edge === edges[0], backend_id: backend.body.id },
    });
    expect(route.status, route.text).toBe(201);
  }
  const listening = async (platform: Platform): Promise<() => Promise<void>> => {
    const session = await sessionBuilder(platform).connect();
    await session.labeledListener().label('app', 'shop').listenAndForward(upstream.url);
    return () => session.close();
  };
  const leave = await listening(first);
  // Its server is gone by then.
  closing.push(() => leave().catch(() => {}));
  expect((await first.visit('https://shop.test/')).text).toBe('served');
  await written('shop.test');
  await first.stop('SIGKILL');
  // On other ports: the agent does not find it.
  const next = await Platform.start({ dataDir: first.dataDir, args: [`--agent-return-timeout=${AWAY_S}`] });
  closing.push(() => next.stop());
  const { status, headers } = await next.visit('https://shop.test/');
  expect([status, headers['ngrok-error-code']]).toEqual([503, 'ERR_NGROK_90019']);
  expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  expect((await next.visit('https://empty.test/')).status).toBe(404);
  const back = await listening(next);
  await until(async () => (await next.visit('https://shop.test/')).text === 'served');
  await back();
  await until(async () => (await next.visit('https://shop.test/')).status === 404);
});

test('the API answers what it had accepted', async () => {
  const [host, port] = splitAddress(new URL(first.runtime.api_url).host);
  const open = Array.from({ length: 20 }, () => net.connect({ host, port }));
  closing.push(() => open.forEach((socket) => socket.destroy()));
  await Promise.all(open.map((socket) => once(socket, 'connect')));
  const answers = open.map(async (socket, index) => {
    let text = '';
    socket.on('error', () => {}).on('data', (chunk: Buffer) => (text += String(chunk)));
    const body = JSON.stringify({ url: `http://accepted-${index}.test`, traffic_policy: answering('yes') });
    socket.write(
      `POST /endpoints HTTP/1.1\r\nHost: api\r\nAuthorization: Bearer ${first.apiKey}\r\nNgrok-Version: 2\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    await new Promise((resolve) => socket.once('close', resolve));
    return text.slice(0, 12);
  });
  // Behind the writes, which are with the system by then.
  await new Promise((resolve) => setImmediate(resolve));
  expect(await first.stop()).toEqual({ code: 0, signal: null });
  expect(new Set(await Promise.all(answers))).toEqual(new Set(['HTTP/1.1 201']));
  expect(complaints(first)).toEqual([]);
});
