/**
 * Agents that may not come in, agents whose authtoken is deleted while they are connected, and connections that never
 * say a word: each learns why where there are words for it, ends within a deadline, and disturbs nobody.
 */
import net from 'node:net';
import tls from 'node:tls';
import type { AgentStatus } from '@postern/agent';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agentOf } from '../support/agent.ts';
import { Platform, splitAddress } from '../support/platform.ts';
import { sessionBuilder } from '../support/sdk.ts';
import { until } from '../support/until.ts';
import { httpUpstream } from '../support/upstream.ts';

const URL_OF_OTHERS = 'http://others.example.com';

let platform: Platform;
let upstream: Awaited<ReturnType<typeof httpUpstream>>;
let others: ReturnType<typeof agentOf>;
let visitor: Promise<void>;
const over = new AbortController();
let visits = 0;
let slowest = 0;

beforeAll(async () => {
  platform = await Platform.start({ args: ['--request-head-timeout=2'] });
  upstream = await httpUpstream((_request, response) => response.end('served'));
  others = agentOf(platform);
  await others.listen({ upstream: upstream.url, url: URL_OF_OTHERS });
  visitor = visitAllTheTime();
  // Awaited at the end.
  visitor.catch(() => undefined);
});
afterAll(async () => {
  over.abort();
  await visitor?.catch(() => undefined);
  await others?.close(0);
  await platform?.dispose();
  await upstream?.close();
});

async function visitAllTheTime(): Promise<void> {
  while (!over.signal.aborted) {
    const before = performance.now();
    const answer = await platform.visit(URL_OF_OTHERS);
    if (answer.text !== 'served') throw new Error(`others got ${answer.status} ${answer.text}`);
    slowest = Math.max(slowest, performance.now() - before);
    visits += 1;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('an agent that may not come in', () => {
  const changed = (text: string): string => `${text.slice(0, -4)}${text.endsWith('zzzz') ? 'yyyy' : 'zzzz'}`;
  const tokens: readonly (readonly [string, () => string, string])[] = [
    ['a wrong token', () => changed(platform.authtoken), 'ERR_NGROK_107'],
    ['a malformed token', () => 'not a token', 'ERR_NGROK_105'],
    ['no token', () => '', 'ERR_NGROK_4018'],
    ['an API key', () => platform.apiKey, 'ERR_NGROK_90050'],
  ];

  test.each(tokens)(
    'with %s: our agent says why, does not repeat the token, and does not try again',
    async (...row) => {
      const [, token, code] = row;
      const states: AgentStatus[] = [];
      const agent = agentOf(platform, { authtoken: token(), onStatus: (status) => void states.push(status) });
      const refused = await Promise.race([agent.closed, deadline(5_000)]);
      await agent.close(0);
      expect(refused).toMatchObject({ code, message: expect.stringMatching(/\w{3,}/) });
      if (token() !== '') expect(JSON.stringify(refused) + String(refused)).not.toContain(token());
      expect(states.map(({ state }) => state)).not.toContain('reconnecting');
    },
  );

  test.each(tokens)('with %s: so does the SDK', async (_name, token, code) => {
    const attempt = sessionBuilder(platform).authtoken(token()).connect();
    await expect(Promise.race([attempt, deadline(5_000)])).rejects.toMatchObject({ errorCode: code });
  });

  test('a token deleted while its agents are connected: both end, and neither comes back', async () => {
    const made = await platform.api('POST', '/credentials', { description: 'soon gone' });
    const { id, token: authtoken } = made.body as { id: string; token: string };
    const heard: AgentStatus[] = [];
    const agent = agentOf(platform, { authtoken, onStatus: (status) => void heard.push(status) });
    await agent.listen({ upstream: upstream.url, url: 'http://revoked.example.com' });
    const sdk = await sessionBuilder(platform).authtoken(authtoken).connect();
    await sdk.httpEndpoint().domain('revoked-too.example.com').listenAndForward(upstream.url);
    const urls = ['http://revoked.example.com', 'https://revoked-too.example.com'];
    for (const url of urls) expect((await platform.visit(url)).text).toBe('served');

    expect((await platform.api('DELETE', `/credentials/${id}`)).status).toBe(204);
    for (const url of urls) {
      await until(async () => (await platform.visit(url)).headers['ngrok-error-code'] === 'ERR_NGROK_3200', 5_000);
    }
    // Its cookie shows that it was let in before: the answer to its next Auth is "revoked", not "unknown".
    const codes = (): string[] =>
      heard.flatMap(({ error }) => (error === undefined || error.code === '' ? [] : error.code));
    await until(() => codes().length > 0, 8_000);
    expect(new Set(codes())).toEqual(new Set(['ERR_NGROK_300']));
    await agent.close(0);

    // A new session knows nothing that would tell its token from one that never was.
    const again = agentOf(platform, { authtoken });
    await expect(again.online()).rejects.toMatchObject({ code: 'ERR_NGROK_107' });
    await expect(sessionBuilder(platform).authtoken(authtoken).connect()).rejects.toMatchObject({
      errorCode: 'ERR_NGROK_107',
    });
    const list = await platform.api('GET', '/tunnel_sessions');
    expect(list.body.tunnel_sessions).toHaveLength(1);
    // Not waited for: its connection is gone.
    void sdk.close().catch(() => undefined);
  });
});

function deadline(milliseconds: number): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error(`nothing within ${milliseconds} ms`)), milliseconds).unref();
  });
}

test('silence ends by a deadline at every door', async () => {
  const { http_addr: http, https_addr: https, agent_addr: agents } = platform.runtime;
  const plain = (address: string, first = ''): net.Socket => {
    const [host, port] = splitAddress(address);
    const socket = net.connect({ host, port });
    if (first !== '') socket.write(first, 'latin1');
    return socket;
  };
  const [host, port] = splitAddress(agents);
  const rows: readonly (readonly [string, net.Socket, number, number])[] = [
    ['http', plain(http), 1_500, 6_000],
    ['http, one byte', plain(http, 'G'), 1_500, 6_000],
    ['https', plain(https), 2_500, 7_000],
    ['https, one byte', plain(https, '\x16'), 2_500, 7_000],
    ['agent', plain(agents), 2_500, 7_000],
    ['agent, one byte', plain(agents, '\x16'), 2_500, 7_000],
    ['agent, after TLS', tls.connect({ host, port, servername: 'localhost', ca: platform.ca }), 9_000, 14_000],
  ];
  await Promise.all(
    rows.map(async ([name, socket, least, most]) => {
      const ms = await lasted(socket, most).catch((error: unknown) => {
        throw new Error(name, { cause: error });
      });
      expect(ms, name).toBeGreaterThan(least);
    }),
  );
});

/** Milliseconds until the other side ends the connection. */
function lasted(socket: net.Socket, most: number): Promise<number> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`open after ${most} ms`));
    }, most);
    socket.on('error', () => undefined);
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(performance.now() - started);
    });
    socket.resume();
  });
}

test('others were served throughout, and still are', async () => {
  over.abort();
  await visitor;
  expect(visits).toBeGreaterThan(50);
  expect(slowest).toBeLessThan(2_000);
  expect(others.state).toBe('online');
  expect((await platform.visit(URL_OF_OTHERS)).text).toBe('served');
  process.stdout.write(`refused agents: ${visits} visits of others meanwhile, slowest ${slowest.toFixed(0)} ms\n`);
});
