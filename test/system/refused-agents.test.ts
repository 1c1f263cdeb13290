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
import { describePace, slowdown, type Times, visitAgain } from '../support/pace.ts';
import { PATIENCE_MS, until } from '../support/until.ts';
import { httpUpstream } from '../support/upstream.ts';

const URL_OF_OTHERS = 'http://others.example.com';

let platform: Platform;
let upstream: Awaited<ReturnType<typeof httpUpstream>>;
let others: ReturnType<typeof agentOf>;
/** Visits of others, and of a server where nobody is refused. */
let visitors: Promise<readonly Times[]>;
let over = false;
let control: Platform;
let agentOfControl: ReturnType<typeof agentOf>;
/** So many times longer may a visit of others take meanwhile. */
const SLOWDOWN = 20;
/** Others keep to it however busy the machine is, and it is over before the ten seconds of an agent's Auth. */
const HEAD_SECONDS = 9;

beforeAll(async () => {
  platform = await Platform.start({ args: [`--request-head-timeout=${HEAD_SECONDS}`] });
  upstream = await httpUpstream((_request, response) => response.end('served'));
  others = agentOf(platform);
  await others.listen({ upstream: upstream.url, url: URL_OF_OTHERS });
  control = await Platform.start();
  agentOfControl = agentOf(control);
  await agentOfControl.listen({ upstream: upstream.url, url: URL_OF_OTHERS });
  visitors = Promise.all([platform, control].map((server) => visitAllTheTime(server)));
  // Awaited at the end.
  visitors.catch(() => undefined);
});
afterAll(async () => {
  over = true;
  await visitors?.catch(() => undefined);
  await Promise.all([others?.close(0), agentOfControl?.close(0)]);
  await Promise.all([platform?.dispose(), control?.dispose()]);
  await upstream?.close();
});

function visitAllTheTime(server: Platform): Promise<Times> {
  const visit = async (): Promise<void> => {
    const answer = await server.visit(URL_OF_OTHERS);
    if (answer.text !== 'served') throw new Error(`others got ${answer.status} ${answer.text}`);
  };
  return visitAgain(visit, () => over, 20);
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
      const refused = await Promise.race([agent.closed, deadline(PATIENCE_MS)]);
      await agent.close(0);
      expect(refused).toMatchObject({ code, message: expect.stringMatching(/\w{3,}/) });
      if (token() !== '') expect(JSON.stringify(refused) + String(refused)).not.toContain(token());
      expect(states.map(({ state }) => state)).not.toContain('reconnecting');
    },
  );

  test.each(tokens)('with %s: so does the SDK', async (_name, token, code) => {
    const attempt = sessionBuilder(platform).authtoken(token()).connect();
    await expect(Promise.race([attempt, deadline(PATIENCE_MS)])).rejects.toMatchObject({ errorCode: code });
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
      await until(async () => (await platform.visit(url)).headers['ngrok-error-code'] === 'ERR_NGROK_3200');
    }
    // Its cookie shows that it was let in before: the answer to its next Auth is "revoked", not "unknown".
    const codes = (): string[] =>
      heard.flatMap(({ error }) => (error === undefined || error.code === '' ? [] : error.code));
    await until(() => codes().length > 0);
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
  const since = performance.now();
  // Not before that many milliseconds: nine seconds were asked for, three and ten are the edge's own.
  const rows: readonly (readonly [string, net.Socket, number])[] = [
    ['http', plain(http), 8_500],
    ['http, one byte', plain(http, 'G'), 8_500],
    ['https', plain(https), 2_500],
    ['https, one byte', plain(https, '\x16'), 2_500],
    ['agent', plain(agents), 2_500],
    ['agent, one byte', plain(agents, '\x16'), 2_500],
    ['agent, after TLS', tls.connect({ host, port, servername: 'localhost', ca: platform.ca }), 9_000],
  ];
  await Promise.all(
    rows.map(async ([name, socket, least]) => {
      const ms = await lasted(socket, since, PATIENCE_MS).catch((error: unknown) => {
        throw new Error(name, { cause: error });
      });
      expect(ms, name).toBeGreaterThan(least);
    }),
  );
});

/** Milliseconds until the other side ends the connection, which was not begun before `since`. */
function lasted(socket: net.Socket, since: number, most: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`open after ${most} ms`));
    }, most);
    socket.on('error', () => undefined);
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(performance.now() - since);
    });
    socket.resume();
  });
}

test('others were served throughout, and still are', async () => {
  over = true;
  const [times = [], controlTimes = []] = await visitors;
  process.stdout.write(`refused agents: visits of others meanwhile ${describePace(times, controlTimes)}\n`);
  expect(slowdown(times, controlTimes)).toBeLessThan(SLOWDOWN);
  expect(others.state).toBe('online');
  expect((await platform.visit(URL_OF_OTHERS)).text).toBe('served');
});
