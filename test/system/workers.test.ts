/**
 * `--workers 2`, from outside: two agents, one at each worker, and visitors who land where they land. A connection that
 * asks for both agents has to reach one of them across, wherever it landed.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import tls from 'node:tls';
import type ngrok from '@ngrok/ngrok';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { isAlive } from '../support/is-alive.ts';
import { selfSigned } from '../support/certificates.ts';
import { exchange } from '../support/exchange.ts';
import { metric } from '../support/metrics.ts';
import { Platform, splitAddress } from '../support/platform.ts';
import { sessionBuilder } from '../support/sdk.ts';
import { until } from '../support/until.ts';
import { httpUpstream, tcpEcho, type Upstream } from '../support/upstream.ts';
import { connectHttp2, requestHttp2 } from '../support/visit-http2.ts';

const MB = 1_048_576;
const BULK = 64 * MB;
const BLOCK = Buffer.alloc(MB, 'postern ');
const NAMES = ['one', 'two'] as const;
const given = 'given.example.com';

interface Served {
  /** Bytes that the service has handed to its socket, by path. */
  readonly sent: Map<string, number>;
  readonly closed: string[];
  /** What ends the answers of `/slow`. */
  readonly slow: (() => unknown)[];
}

let platform: Platform;
const served: Served = { sent: new Map(), closed: [], slow: [] };
const sessions: ngrok.Session[] = [];
const closing: (() => unknown)[] = [];
const tcp: Record<string, number> = {};
let folder: string;

/** Says who it is; `/down…` sends bulk, `/up` hashes what comes, `/slow` ends when it is told. */
async function service(name: string): Promise<Upstream> {
  const upstream = await httpUpstream((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://any');
    if (pathname.startsWith('/down')) void send(name + pathname, response);
    else if (pathname === '/slow') {
      response.write('slow ');
      served.slow.push(() => response.end(name));
    } else {
      const hash = createHash('sha256');
      request.on('data', (chunk: Buffer) => hash.update(chunk));
      request.on('end', () => response.end(pathname === '/up' ? hash.digest('hex') : name));
    }
  });
  const sockets = new WebSocketServer({ server: upstream.server });
  sockets.on('connection', (socket) =>
    socket.on('message', (data: Buffer) => socket.send(`${name}: ${data.toString()}`)),
  );
  closing.push(() => sockets.close());
  return upstream;
}

async function send(key: string, response: http.ServerResponse): Promise<void> {
  response.on('close', () => served.closed.push(key));
  response.writeHead(200, { 'content-length': BULK });
  for (let left = BULK; left > 0 && !response.destroyed; left -= MB) {
    served.sent.set(key, BULK - left);
    // oxlint-disable-next-line no-await-in-loop
    if (!response.write(BLOCK)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
  }
  response.end();
}

const bulkHash = (() => {
  const hash = createHash('sha256');
  for (let n = 0; n < BULK / MB; n++) hash.update(BLOCK);
  return hash.digest('hex');
})();
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const crossed = (): Promise<number> => metric(platform, 'postern_crossed_streams_total');

/** What the log says of workers: their processes, and which has the session of each agent, in the order they came. */
function workersOf(of: Platform): { pids: Map<string, number>; holders: string[] } {
  const pids = new Map<string, number>();
  const holders: string[] = [];
  for (const line of of.output.split('\n')) {
    if (!line.startsWith('{') || !line.endsWith('}')) continue;
    const { msg, worker, pid } = JSON.parse(line) as { msg: string; worker: string; pid: number };
    if (msg === 'a worker serves') pids.set(worker, pid);
    if (msg === 'agent connected') holders.push(worker);
  }
  return { pids, holders };
}

beforeAll(async () => {
  const first = await selfSigned(given);
  folder = await mkdtemp(path.join(tmpdir(), 'postern-workers-test-'));
  const [cert, key] = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem')];
  await Promise.all([writeFile(cert, first.cert), writeFile(key, first.key)]);
  platform = await Platform.start({
    args: ['--workers=2', `--tls-certificate=${cert},${key}`, '--drain-timeout=20'],
  });
  const echo = await tcpEcho();
  closing.push(() => echo.close());
  for (const name of NAMES) {
    // One after the other: they are handed out in turn.
    // oxlint-disable no-await-in-loop
    const upstream = await service(name);
    closing.push(() => upstream.close());
    const session = await sessionBuilder(platform).connect();
    sessions.push(session);
    for (const scheme of ['HTTP', 'HTTPS'] as const) {
      await session.httpEndpoint().scheme(scheme).domain(`${name}.example.com`).listenAndForward(upstream.url);
    }
    const bytes = await session.tcpEndpoint().listenAndForward(`tcp://127.0.0.1:${echo.port}`);
    tcp[name] = Number(new URL(bytes.url() ?? '').port);
    // oxlint-enable no-await-in-loop
  }
});
afterAll(async () => {
  await platform?.dispose();
  await Promise.all(sessions.map((session) => session.close().catch(() => undefined)));
  await Promise.all(closing.map((close) => close()));
  await rm(folder, { recursive: true, force: true });
});

/** Both agents over one connection, so that one of the two requests crosses. */
async function both(visit: (name: string) => Promise<void>): Promise<void> {
  const before = await crossed();
  for (const name of NAMES) {
    // oxlint-disable-next-line no-await-in-loop
    await visit(name);
  }
  expect(await crossed()).toBe(before + 1);
}

/** One connection that is kept. */
function oneConnection(): http.Agent {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  closing.push(() => agent.destroy());
  return agent;
}

describe('a connection reaches both agents', () => {
  test('each at a worker of its own', async () => {
    await until(() => workersOf(platform).holders.length === NAMES.length);
    const { pids, holders } = workersOf(platform);
    expect(pids.size).toBe(2);
    expect(new Set(holders).size).toBe(2);
  });

  test('over http, with bulk both ways', async () => {
    const agent = oneConnection();
    await both(async (name) => {
      const url = `http://${name}.example.com`;
      expect((await platform.visit(`${url}/`, { agent })).text).toBe(name);
      expect(sha256((await platform.visit(`${url}/down`, { agent })).bytes)).toBe(bulkHash);
      const body = Buffer.alloc(BULK, BLOCK);
      expect((await platform.visit(`${url}/up`, { agent, method: 'POST', body })).text).toBe(bulkHash);
    });
  });

  test('over HTTP/2', async () => {
    const session = connectHttp2(platform, 'https://one.example.com');
    closing.push(() => session.destroy());
    await both(async (name) => {
      const headers = { ':authority': `${name}.example.com` };
      expect((await requestHttp2(session, '/', { headers })).text).toBe(name);
      expect(sha256((await requestHttp2(session, '/down', { headers })).bytes)).toBe(bulkHash);
    });
  });

  test('over https and WebSocket, tcp: from wherever it lands', async () => {
    const before = await crossed();
    const [host, port] = splitAddress(platform.runtime.https_addr);
    for (let n = 0; (await crossed()) < before + 6; n++) {
      const name = NAMES[n % 2] ?? '';
      // oxlint-disable no-await-in-loop
      expect((await platform.visit(`https://${name}.example.com/`)).text).toBe(name);
      expect(await exchange(net.connect(tcp[name] ?? 0, '127.0.0.1'), `tcp to ${name}`)).toBe(`tcp to ${name}`);
      const socket = new WebSocket(`wss://${name}.example.com/`, {
        createConnection: () => tls.connect({ host, port, servername: `${name}.example.com`, ca: platform.ca }),
      });
      await once(socket, 'open');
      socket.send('here');
      const [said] = (await once(socket, 'message')) as [Buffer];
      expect(String(said)).toBe(`${name}: here`);
      socket.terminate();
      // oxlint-enable no-await-in-loop
    }
  });
});

describe('across', () => {
  /** Asks for bulk of both agents, over connections that land anywhere, and reads nothing. */
  async function stalled(route: string, count: number): Promise<net.Socket[]> {
    const [host, port] = splitAddress(platform.runtime.http_addr);
    const before = await crossed();
    const sockets = await Promise.all(
      Array.from({ length: count }, async (_, n) => {
        const socket = net.connect(port, host);
        closing.push(() => socket.destroy());
        socket.on('error', () => {});
        await once(socket, 'connect');
        socket.pause();
        socket.write(`GET ${route}${n} HTTP/1.1\r\nhost: ${NAMES[n % 2] ?? ''}.example.com\r\n\r\n`);
        return socket;
      }),
    );
    await until(() => [...served.sent.keys()].filter((key) => key.includes(route)).length === count);
    await until(async () => (await crossed()) >= before);
    return sockets;
  }

  test('a visitor who does not read stops the service, and only his own', async () => {
    const sockets = await stalled('/down-stalled-', 8);
    const sum = (): number =>
      [...served.sent].filter(([key]) => key.includes('stalled')).reduce((total, [, bytes]) => total + bytes, 0);
    let last = -1;
    // Until nothing moves any more.
    await until(
      async () => {
        const now = sum();
        const still = now === last;
        last = now;
        return still;
      },
      60_000,
      1_000,
    );
    expect(sum()).toBeLessThan(8 * 0.6 * BULK);
    expect((await platform.visit('http://one.example.com/')).text).toBe('one');
    expect((await platform.visit('http://two.example.com/')).text).toBe('two');
    for (const socket of sockets) socket.destroy();
    // A visitor who leaves is told of.
    await until(() => served.closed.filter((key) => key.includes('stalled')).length === 8);
    await until(async () => (await metric(platform, 'postern_places{state="used"}')) <= 6);
  });

  test('a limit of rate is one limit', async () => {
    const policy = JSON.stringify({
      on_http_request: [
        {
          actions: [
            {
              type: 'rate-limit',
              config: { name: 'all', algorithm: 'sliding_window', capacity: 5, rate: '600s', bucket_key: ['req.host'] },
            },
            { type: 'custom-response', config: { status_code: 200, body: 'let in' } },
          ],
        },
      ],
    });
    const made = await platform.api('POST', '/endpoints', {
      url: 'http://limited.example.com',
      traffic_policy: policy,
    });
    expect(made.status, made.text).toBe(201);
    const answers = await Promise.all(Array.from({ length: 24 }, () => platform.visit('http://limited.example.com/')));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(5);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(19);
  });

  test('numbers of both workers are one', async () => {
    expect(await metric(platform, 'postern_workers')).toBe(2);
    expect(await metric(platform, 'postern_agent_sessions')).toBe(2);
    const before = await metric(platform, 'postern_http_requests_total{status="2xx"}');
    for (let n = 0; n < 10; n++)
      expect((await platform.visit(`http://${NAMES[n % 2] ?? ''}.example.com/`)).status).toBe(200);
    expect(await metric(platform, 'postern_http_requests_total{status="2xx"}')).toBe(before + 10);
  });

  test('certificates that are read again are shown by both', async () => {
    const [host, port] = splitAddress(platform.runtime.https_addr);
    const shown = async (): Promise<string> => {
      const socket = tls.connect({ host, port, servername: given, rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      const { fingerprint256 } = socket.getPeerCertificate();
      socket.destroy();
      return fingerprint256;
    };
    const old = await shown();
    const next = await selfSigned(given);
    await writeFile(path.join(folder, 'cert.pem'), next.cert);
    await writeFile(path.join(folder, 'key.pem'), next.key);
    platform.process.kill('SIGHUP');
    // Each worker reads them when it is told, and one may be told a moment later than the other.
    const after = await until(async () => {
      const prints = new Set(await Promise.all(Array.from({ length: 12 }, shown)));
      return prints.has(old) ? null : prints;
    });
    expect(after.size).toBe(1);
  });
});

describe('a worker that is killed', () => {
  test('costs its own connections, and is replaced', async () => {
    const { pids, holders } = workersOf(platform);
    const [lost = '', kept = ''] = holders;
    const state = { over: false };
    const failures: string[] = [];
    // Of a visitor whose connection lives on, every request has to be answered.
    const visitors = Array.from({ length: 12 }, async () => {
      const agent = oneConnection();
      let broken = 0;
      while (!state.over) {
        try {
          // oxlint-disable-next-line no-await-in-loop
          const { status, text } = await platform.visit('http://two.example.com/', { agent });
          if (status !== 200) failures.push(`${status} ${text.slice(0, 60)}`);
        } catch {
          // The connection itself, when it was the lost worker's; the next one comes to who is there.
          broken += 1;
        }
      }
      return broken;
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    // Who asks for the lost agent is told that it is coming back, not that nothing is there.
    const meanwhile = new Set<number>();
    const others = (async () => {
      while (!state.over) {
        // oxlint-disable-next-line no-await-in-loop
        meanwhile.add(
          await platform.visit('http://one.example.com/').then(
            ({ status }) => status,
            () => 0,
          ),
        );
      }
    })();
    process.kill(pids.get(lost) ?? 0, 'SIGKILL');
    await until(async () => (await metric(platform, 'postern_lost_workers_total')) === 1);
    await until(async () => (await metric(platform, 'postern_workers')) === 2);
    // The agent comes back by itself, and so do its endpoints.
    await until(async () => (await platform.visit('http://one.example.com/')).text === 'one');
    await until(async () => (await metric(platform, 'postern_agent_sessions')) === 2);
    state.over = true;
    const broken = await Promise.all(visitors);
    await others;
    expect(failures).toEqual([]);
    expect(meanwhile).not.toContain(404);
    expect(Math.max(...broken)).toBeLessThanOrEqual(1);
    await until(() => workersOf(platform).pids.size === 3);
    expect(workersOf(platform).pids.get(kept)).toBe(pids.get(kept));
    // The agent asks for its endpoints one after the other.
    expect(await until(() => exchange(net.connect(tcp['one'] ?? 0, '127.0.0.1'), 'again'))).toBe('again');
  });

  test('and the others reach agents of the new one', async () => {
    const agent = oneConnection();
    for (const name of NAMES) {
      // oxlint-disable-next-line no-await-in-loop
      expect((await platform.visit(`http://${name}.example.com/`, { agent })).text).toBe(name);
    }
  });
});

describe('the end', () => {
  test('what is in flight is finished, across as well, and no process stays', async () => {
    const { pids } = workersOf(platform);
    const slow = Array.from({ length: 8 }, (_, n) => platform.visit(`http://${NAMES[n % 2] ?? ''}.example.com/slow`));
    await until(() => served.slow.length === slow.length);
    const stopped = platform.stop();
    await until(async () => (await fetch(`${platform.runtime.metrics_url}/readyz`)).status === 503);
    for (const end of served.slow) end();
    const texts = (await Promise.all(slow)).map(({ text }) => text);
    expect(texts).toEqual(Array.from({ length: 8 }, (_, n) => `slow ${NAMES[n % 2] ?? ''}`));
    expect(await stopped).toEqual({ code: 0, signal: null });
    for (const pid of pids.values()) expect(isAlive(pid)).toBe(false);
  });
});
