/**
 * Two agents that nobody here wrote, one list of behaviours: the official SDK (v3 protocol), and the old Go agent (v2
 * protocol), which lives in a network namespace where there is nothing but loopback. Each dials through a wire of ours.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { AgentFailed, type RunningAgent, type StartAgent, type Wish } from '../support/agents/agent.ts';
import { goAgentProblem, startGoAgent } from '../support/agents/go-agent.ts';
import { startSdkAgent } from '../support/agents/sdk-agent.ts';
import { exchange } from '../support/exchange.ts';
import { requireJudge } from '../support/judge.ts';
import { LoopbackNamespace, namespaceProblem } from '../support/namespace/namespace.ts';
import { Platform, splitAddress } from '../support/platform.ts';
import { PATIENCE_MS, until } from '../support/until.ts';
import { type Upstream, httpUpstream, tcpEcho } from '../support/upstream.ts';
import { visitHttp2 } from '../support/visit-http2.ts';
import { Wire } from '../support/wire.ts';

const GO = 'the old Go agent (v2.3)';
const goProblem = goAgentProblem() || namespaceProblem();
if (goProblem !== '') requireJudge(GO, goProblem);

interface Seen {
  readonly headers: Record<string, string>;
}

const MiB = 1024 * 1024;
let platform: Platform;
let upstream: Upstream;
let echo: Upstream;
let namespace: LoopbackNamespace | undefined;

beforeAll(async () => {
  platform = await Platform.start();
  if (goProblem === '') namespace = await LoopbackNamespace.create();
  upstream = await httpUpstream((request, response) => {
    if (request.url === '/echo') request.pipe(response);
    else if (request.url === '/large') response.end(Buffer.alloc(20 * MiB, 'postern'));
    else response.end(JSON.stringify({ headers: request.headers }));
  });
  echo = await tcpEcho();
  for (const { port } of [upstream, echo]) await namespace?.open(port, () => ({ host: '127.0.0.1', port }));
});
afterAll(async () => {
  await platform?.dispose();
  await namespace?.close();
  await Promise.all([upstream?.close(), echo?.close()]);
});

interface AgentKind {
  readonly name: string;
  /** Why it cannot run here, or ''. */
  readonly problem: string;
  /** `wirePort`: where it dials. */
  readonly startVia: (wirePort: number) => StartAgent;
  /** What it cannot do by its own nature, by the name of the test. */
  readonly cannot: readonly string[];
}

const HALF_CLOSE = 'tcp keeps a half-closed connection open';
const AGENTS: readonly AgentKind[] = [
  {
    name: 'the official SDK',
    problem: '',
    startVia: (port) => (wish) => startSdkAgent(platform, port, wish),
    cannot: [],
  },
  {
    name: GO,
    problem: goProblem,
    startVia: (port) => (wish) => {
      if (namespace === undefined) throw new Error('no namespace');
      return startGoAgent(namespace, platform, port, wish);
    },
    // It closes both directions when one ends. Nor can it name an HTTP/2 upstream: no such option in its protocol.
    cannot: [HALF_CLOSE],
  },
];

for (const { name, problem, startVia, cannot } of AGENTS) {
  describe.skipIf(problem !== '')(name, () => {
    let wire: Wire;
    const running: RunningAgent[] = [];
    let names = 0;
    const hostname = (): string => `agent${(names += 1)}.example.com`;
    const start = async (wish: Omit<Wish, 'upstreamPort'> & { readonly upstreamPort?: number }) => {
      const port = wish.proto === 'tcp' ? echo.port : upstream.port;
      const agent = await startVia(wire.port)({ upstreamPort: port, ...wish });
      running.push(agent);
      return agent;
    };
    const serves = async (url: string): Promise<boolean> => (await platform.visit(url)).status === 200;

    beforeEach(async () => {
      wire = await Wire.to(() => ({ host: '127.0.0.1', port: splitAddress(platform.runtime.agent_addr)[1] }));
      await namespace?.open(wire.port, () => ({ host: '127.0.0.1', port: wire.port }));
    });
    afterEach(async () => {
      for (const agent of running) agent.kill('SIGKILL');
      await Promise.all(running.splice(0).map((agent) => agent.ended));
      await wire.close();
    });

    test('http and https at once, on names of the server’s choice', async () => {
      const { urls } = await start({ proto: 'http', schemes: ['https', 'http'] });
      expect(urls.map((url) => url.split(':')[0])).toEqual(['https', 'http']);
      // It asks for the second by the host that it was answered for the first.
      if (name === GO) expect(new Set(urls.map((url) => new URL(url).hostname)).size).toBe(1);
      for (const url of urls) {
        expect(new URL(url).hostname).toMatch(/^[a-z0-9-]+\.postern\.localhost$/);
        const answer = await platform.visit(url);
        expect(answer.status).toBe(200);
        const { headers }: Seen = JSON.parse(answer.text);
        expect(headers['x-forwarded-proto']).toBe(url.split(':')[0]);
        expect(headers['host']).toBe(new URL(url).host);
      }
    });

    test.each(['https', 'http'] as const)('%s alone, on a name of its own choice', async (scheme) => {
      const wanted = hostname();
      const { urls } = await start({ proto: 'http', schemes: [scheme], hostname: wanted });
      expect(urls).toEqual([`${scheme}://${wanted}`]);
      expect(await serves(`${scheme}://${wanted}`)).toBe(true);
      const other = await platform.visit(`${scheme === 'http' ? 'https' : 'http'}://${wanted}`);
      // Plain HTTP is sent to the scheme that is there; nobody is sent the other way.
      expect(other.status).toBe(scheme === 'https' ? 307 : 404);
      const rows: Record<string, unknown>[] = (await platform.api('GET', '/endpoints')).body.endpoints;
      expect(rows.map((row) => [row['url'], row['proto'], row['type']])).toEqual([
        [`${scheme}://${wanted}`, scheme, 'ephemeral'],
      ]);
    });

    test('large bodies both ways, over HTTP/1.1 and HTTP/2', async () => {
      const { urls } = await start({ proto: 'http' });
      const body = Buffer.alloc(5 * MiB, 'body of a request ');
      for (const visit of [platform.visit.bind(platform), visitHttp2.bind(null, platform)]) {
        const sent = await visit(`${urls[0]}/echo`, { method: 'POST', body });
        expect(sent.status).toBe(200);
        expect(digest(sent.bytes)).toBe(digest(body));
        const large = await visit(`${urls[0]}/large`, {});
        expect(digest(large.bytes)).toBe(digest(Buffer.alloc(20 * MiB, 'postern')));
      }
    });

    test('websockets', async () => {
      const front = await httpUpstream((_request, response) => response.end());
      const server = new WebSocketServer({ server: front.server });
      server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
      const { port } = front;
      await namespace?.open(port, () => ({ host: '127.0.0.1', port }));
      const { urls } = await start({ proto: 'http', schemes: ['http'], upstreamPort: port });
      const [host, publicPort] = splitAddress(platform.runtime.http_addr);
      const socket = new WebSocket(`ws://${host}:${publicPort}/`, {
        headers: { host: new URL(urls[0] ?? '').host },
      });
      await once(socket, 'open');
      socket.send('over the socket');
      const [message]: Buffer[] = await once(socket, 'message');
      expect(message?.toString()).toBe('over the socket');
      socket.terminate();
      for (const client of server.clients) client.terminate();
      server.close();
      await front.close();
    });

    test('tcp, on a port of the server’s choice and on its own', async () => {
      const first = await start({ proto: 'tcp' });
      const url = new URL(first.urls[0] ?? '');
      expect(url.protocol).toBe('tcp:');
      expect(await exchange(net.connect(Number(url.port), '127.0.0.1'), 'over tcp')).toBe('over tcp');
      first.kill('SIGKILL');
      await first.ended;
      const second = await start({ proto: 'tcp', remoteAddr: url.host });
      expect(second.urls).toEqual(first.urls);
      expect(await exchange(net.connect(Number(url.port), '127.0.0.1'), 'over it again')).toBe('over it again');
    });

    const keepsHalfClosed = async (): Promise<void> => {
      const { urls } = await start({ proto: 'tcp' });
      const socket = net.connect({ port: Number(new URL(urls[0] ?? '').port), host: '127.0.0.1', allowHalfOpen: true });
      const body = Buffer.alloc(3 * MiB, 'half');
      socket.end(body);
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      await once(socket, 'end');
      expect(digest(Buffer.concat(chunks))).toBe(digest(body));
    };
    if (!cannot.includes(HALF_CLOSE)) test(HALF_CLOSE, keepsHalfClosed);

    test('basic auth', async () => {
      const { urls } = await start({ proto: 'http', auth: 'visitor:opensesame' });
      const url = urls[0] ?? '';
      expect((await platform.visit(url)).status).toBe(401);
      const wrong = { authorization: `Basic ${Buffer.from('visitor:opensesamf').toString('base64')}` };
      expect((await platform.visit(url, { headers: wrong })).status).toBe(401);
      const right = { authorization: `Basic ${Buffer.from('visitor:opensesame').toString('base64')}` };
      expect((await platform.visit(url, { headers: right })).status).toBe(200);
      expect((await visitHttp2(platform, url, { headers: right })).status).toBe(200);
    });

    test('the upstream sees its own Host when that is asked for', async () => {
      const own = `127.0.0.1:${upstream.port}`;
      const { urls } = await start({ proto: 'http', hostHeader: own });
      const { headers }: Seen = JSON.parse((await platform.visit(urls[0] ?? '')).text);
      expect(headers['host']).toBe(own);
      expect(headers['x-forwarded-host']).toBe(new URL(urls[0] ?? '').host);
    });

    test.each(['both sides told', 'the server told nothing'])('a cut wire (%s): back with its URLs', async (kind) => {
      const { urls } = await start({ proto: 'http', schemes: ['https', 'http'] });
      expect(await serves(urls[0] ?? '')).toBe(true);
      if (kind === 'both sides told') wire.cut();
      else wire.halfOpen();
      await until(() => wire.accepted >= 2, PATIENCE_MS, 5);
      for (const url of urls) await until(() => serves(url), PATIENCE_MS, 5);
      const rows: { url: string }[] = (await platform.api('GET', '/endpoints')).body.endpoints;
      expect(new Set(rows.map((row) => row.url))).toEqual(new Set(urls));
    });

    test('the server killed and started again: back with its URL', async () => {
      const { urls } = await start({ proto: 'http' });
      // It hears of the loss when the new server is there: how long that takes on this machine is another matter, and
      // the SDK's fourth wait would be two minutes.
      wire.stall();
      platform = await platform.restart('SIGKILL');
      wire.resume();
      await until(() => serves(urls[0] ?? ''));
    });

    test('kill -9 and a re-run: the same name, at once', async () => {
      const wanted = hostname();
      const first = await start({ proto: 'http', hostname: wanted });
      first.kill('SIGKILL');
      await first.ended;
      await start({ proto: 'http', hostname: wanted });
      expect(await serves(`https://${wanted}`)).toBe(true);
    });

    test('a name that another agent holds is refused, with the code', async () => {
      const wanted = hostname();
      await start({ proto: 'http', hostname: wanted });
      const second = await start({ proto: 'http', hostname: wanted }).catch((error: unknown) => error);
      expect(second).toBeInstanceOf(AgentFailed);
      expect(second).toMatchObject({ ended: { code: 1, output: expect.stringContaining('ERR_NGROK_334') } });
      expect(await serves(`https://${wanted}`)).toBe(true);
    });

    test('stopped by the API: it obeys and ends with code 0', async () => {
      const { urls } = await start({ proto: 'http' });
      const sessions: { id: string }[] = (await platform.api('GET', '/tunnel_sessions')).body.tunnel_sessions;
      expect(sessions).toHaveLength(1);
      const answer = await platform.api('POST', `/tunnel_sessions/${sessions[0]?.id ?? ''}/stop`, {});
      expect(answer.status, answer.text).toBe(204);
      expect(await running[0]?.ended).toMatchObject({ code: 0, signal: null });
      await until(async () => (await platform.visit(urls[0] ?? '')).headers['ngrok-error-code'] === 'ERR_NGROK_3200');
    });

    test.each([
      ['of the wrong shape', 'not-a-token', 'ERR_NGROK_105'],
      ['that nobody issued', 'another', 'ERR_NGROK_107'],
    ])('an authtoken %s: code 1 and the reason', async (_, token, code) => {
      const { authtoken: good } = platform;
      const authtoken = token === 'another' ? `${good.slice(0, -1)}${good.endsWith('x') ? 'y' : 'x'}` : token;
      const failed = await start({ proto: 'http', authtoken }).catch((error: unknown) => error);
      expect(failed).toBeInstanceOf(AgentFailed);
      expect(failed).toMatchObject({ ended: { code: 1, output: expect.stringContaining(code) } });
    });
  });
}

test.skipIf(goProblem !== '')(`${GO} can reach nothing but loopback`, async () => {
  const child = namespace?.spawn('ip', ['-o', 'link', 'show'], { PATH: process.env['PATH'] });
  let links = '';
  child?.stdout?.on('data', (chunk: Buffer) => (links += chunk.toString()));
  await once(child ?? process, 'close');
  expect(links.trim().split('\n')).toHaveLength(1);
  expect(links).toMatch(/^1: lo:/);
});

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
