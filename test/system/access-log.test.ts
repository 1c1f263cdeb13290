/** `--access-log`: what is in its lines, where they go, and that nobody waits for them. */
import { execFileSync, spawn } from 'node:child_process';
import { constants, existsSync } from 'node:fs';
import { mkdtemp, open, readFile, rename, rm } from 'node:fs/promises';
import { once } from 'node:events';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AgentSession } from '@postern/agent';
import { agentOf } from '../support/agent.ts';
import { metric } from '../support/metrics.ts';
import { mainOf, Platform, repositoryRoot, splitAddress, SERVES_ALONE } from '../support/platform.ts';
import { until } from '../support/until.ts';
import { httpUpstream, tcpEcho, type Upstream } from '../support/upstream.ts';
import { visitHttp2 } from '../support/visit-http2.ts';

type Line = Record<string, string | number>;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'postern-access-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function cloud(platform: Platform, url: string, policy: object): Promise<void> {
  const made = await platform.api('POST', '/endpoints', { url, type: 'cloud', traffic_policy: JSON.stringify(policy) });
  expect(made.status, made.text).toBe(201);
}
const HELLO = { on_http_request: [{ actions: [{ type: 'custom-response', config: { content: 'hello' } }] }] };

/** Bytes as they are, where clients would not send them. */
async function raw(platform: Platform, request: string): Promise<void> {
  const [host, port] = splitAddress(platform.runtime.http_addr);
  const socket = net.connect(port, host);
  socket.end(request, 'latin1');
  socket.resume();
  await once(socket, 'close');
}

describe('JSON lines in a file', () => {
  let platform: Platform;
  let agent: AgentSession;
  let web: Upstream;
  let echo: Upstream;
  let file: string;
  const linesOf = async (name = file): Promise<readonly Line[]> =>
    existsSync(name)
      ? (await readFile(name, 'utf8'))
          .split('\n')
          .slice(0, -1)
          .map((line) => JSON.parse(line) as Line)
      : [];
  const line = (wanted: (line: Line) => boolean, name = file): Promise<Line> =>
    until(async () => (await linesOf(name)).find((one) => wanted(one)) ?? null);

  beforeAll(async () => {
    file = path.join(folder, 'access.log');
    platform = await Platform.start({ args: [`--access-log=${file}`, '--trusted-proxies=127.0.0.1'] });
    web = await httpUpstream((_request, response) => response.end('from the service'));
    echo = await tcpEcho();
    agent = agentOf(platform);
    await agent.online();
  });
  afterAll(async () => {
    await agent?.close();
    await platform?.dispose();
    await Promise.all([web?.close(), echo?.close()]);
  });

  test('a request that an agent serves, over HTTPS', async () => {
    const shared = await agent.listen({ url: 'https://web.test', upstream: web.url });
    const headers = {
      'user-agent': 'tester/1',
      referer: 'https://from.test/?token=hidden',
      'x-request-id': 'req-7',
      authorization: 'Bearer hidden',
      'x-forwarded-for': '203.0.113.9',
    };
    await platform.visit(`${shared.url}/a/b?c=1&access_token=hidden`, { headers });
    const seen = await line(({ host }) => host === 'web.test');
    const { tunnel_sessions: sessions } = (await platform.api('GET', '/tunnel_sessions')).body as {
      tunnel_sessions: { id: string }[];
    };
    expect(seen).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      kind: 'http',
      client: '203.0.113.9',
      peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      host: 'web.test',
      scheme: 'https',
      method: 'GET',
      path: '/a/b',
      query: '?c=1&access_token=***',
      protocol: 'HTTP/1.1',
      status: 200,
      head_ms: expect.any(Number),
      user_agent: 'tester/1',
      referer: 'https://from.test/?token=***',
      request_id: 'req-7',
      tls: '1.3',
      bytes_in: 0,
      bytes_out: 'from the service'.length,
      ms: expect.any(Number),
      endpoint: expect.stringMatching(/^ep_/),
      session: sessions[0]?.id,
      end: 'complete',
      error: '',
    });
    expect(seen['head_ms']).toBeGreaterThanOrEqual(0);
    expect(seen['ms']).toBeGreaterThanOrEqual(Number(seen['head_ms']));
    expect(await readFile(file, 'utf8')).not.toContain('hidden');
  });

  test('cloud endpoints, HTTP/2, names that nobody has; as sent, whatever rules make of it', async () => {
    const strip = { type: 'remove-headers', config: { headers: ['referer'] } };
    await cloud(platform, 'https://cloud.test', { on_http_request: [{ actions: [strip] }, ...HELLO.on_http_request] });
    await visitHttp2(platform, 'https://cloud.test/h2', { headers: { referer: 'two' } });
    expect(await line(({ host }) => host === 'cloud.test:443')).toMatchObject({
      protocol: 'HTTP/2.0',
      path: '/h2',
      referer: 'two',
      session: '',
      status: 200,
    });
    await platform.visit('http://nobody.test/');
    expect(await line(({ host }) => host === 'nobody.test')).toMatchObject({
      status: 404,
      endpoint: '',
      error: 'ERR_NGROK_3200',
      tls: '',
    });
  });

  test('a policy’s own request is none of a visitor’s', async () => {
    const before = (await linesOf()).length;
    await agent.listen({ url: 'https://inner.internal', upstream: web.url });
    await cloud(platform, 'https://outer.test', {
      on_http_request: [
        { actions: [{ type: 'http-request', config: { url: 'https://inner.internal/' } }] },
        ...HELLO.on_http_request,
      ],
    });
    expect((await platform.visit('https://outer.test/')).text).toBe('hello');
    await platform.visit('https://outer.test/last');
    await line((one) => one['path'] === '/last');
    // Lines of two workers come as they please.
    if (!SERVES_ALONE) await until(async () => (await linesOf()).length >= before + 2);
    expect((await linesOf()).slice(before).map(({ host }) => host)).toEqual(['outer.test', 'outer.test']);
  });

  test('connections of tcp endpoints', async () => {
    const shared = await agent.listen({ proto: 'tcp', upstream: `tcp://127.0.0.1:${echo.port}` });
    const socket = net.connect(Number(new URL(shared.url).port), '127.0.0.1');
    socket.write('12345');
    await once(socket, 'data');
    socket.end();
    await once(socket, 'close');
    const seen = await line(({ kind }) => kind === 'tcp');
    expect(seen).toMatchObject({ client: '127.0.0.1', bytes_in: 5, bytes_out: 5, end: 'complete' });
    expect(seen['session']).toMatch(/^ts_/);
    expect(seen).not.toHaveProperty('status');
  });

  test('hostile fields are one line like any other', async () => {
    const before = (await linesOf()).length;
    await cloud(platform, 'http://raw.test', HELLO);
    const agentName = 'x"\\\u009b31m\u00ff","status":500,"y":"';
    await raw(
      platform,
      `GET /%0a?\u0022 HTTP/1.1\r\nHost: raw.test\r\nUser-Agent: ${agentName}\r\nConnection: close\r\n\r\n`,
    );
    expect(await line(({ host }) => host === 'raw.test')).toMatchObject({ user_agent: agentName, status: 200 });
    expect(await linesOf()).toHaveLength(before + 1);
    expect(await readFile(file, 'latin1')).toMatch(/^[\u0020-\u007e\n]*$/);
  });

  test('SIGHUP opens the file again that somebody has renamed', async () => {
    const old = `${file}.1`;
    await rename(file, old);
    await platform.visit('http://before.test/');
    await line(({ host }) => host === 'before.test', old);
    platform.process.kill('SIGHUP');
    await until(() => existsSync(file) || null);
    await until(async () => {
      await platform.visit('http://after.test/');
      return (await linesOf()).length > 0 || null;
    });
    expect(new Set((await linesOf()).map(({ host }) => host))).toEqual(new Set(['after.test']));
  });

  test('what is in flight at the stop is in it', async () => {
    await platform.visit('http://last.test/');
    await platform.stop();
    expect((await linesOf()).map(({ host }) => host)).toContain('last.test');
  });
});

test('combined lines on stdout', async () => {
  const platform = await Platform.start({ args: ['--access-log=-', '--access-log-format=combined'] });
  try {
    await cloud(platform, 'http://out.test', HELLO);
    await platform.visit('http://out.test/p?q=1', { headers: { 'user-agent': 'a "b"' } });
    const pattern =
      /^127\.0\.0\.1 - - \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET \/p\?q=1 HTTP\/1\.1" 200 5 "-" "a \\x22b\\x22"$/m;
    await until(() => pattern.test(platform.output) || null);
  } finally {
    await platform.dispose();
  }
});

test('a reader that stands still costs lines, which are counted, and no visitor anything', async () => {
  const pipe = path.join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  // Opened for reading, and not read.
  const held = await open(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const platform = await Platform.start({ args: [`--access-log=${pipe}`] });
  try {
    await cloud(platform, 'http://busy.test', HELLO);
    const lost = (): Promise<number> => metric(platform, 'postern_access_log_lost_lines_total');
    // The longest lines that there are: every character becomes six.
    const long = '\u00e4'.repeat(2_000);
    const headers = { 'user-agent': long, referer: `http://${long}`, 'x-request-id': long };
    await until(async () => {
      const visits = Array.from({ length: 40 }, () => platform.visit('http://busy.test/', { headers }));
      for (const { status } of await Promise.all(visits)) expect(status).toBe(200);
      return (await lost()) > 0 || null;
    });
    await expect.poll(() => platform.output).toContain('lines of the access log were lost');

    const reader = spawn('cat', [pipe], { stdio: ['ignore', 'pipe', 'ignore'] });
    const lines: Line[] = [];
    createInterface({ input: reader.stdout }).on('line', (text) => lines.push(JSON.parse(text) as Line));
    await until(async () => {
      await platform.visit('http://again.test/');
      return lines.some(({ host }) => host === 'again.test') || null;
    });
    reader.kill();
  } finally {
    await platform.dispose();
    await held.close();
  }
});

test.each([
  ['--access-log=/nowhere/at/all.log', '--access-log /nowhere/at/all.log: cannot be written to'],
  ['--access-log-format=common', '--access-log-format common: use one of json, combined'],
])('%s is refused by name', async (flag, words) => {
  const args = [
    mainOf(repositoryRoot),
    'server',
    `--data-dir=${path.join(folder, 'refused')}`,
    '--http-listen=127.0.0.1:0',
  ];
  const child = spawn(process.execPath, [...args, '--https-listen=127.0.0.1:0', '--agent-listen=127.0.0.1:0', flag], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder },
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  expect([code, said]).toEqual([2, expect.stringContaining(words)]);
});
