import { describe, expect, test } from 'vitest';
import { endpoint, upstream } from '../testing/fixtures.ts';
import {
  type AgentBehaviour,
  dial,
  exchangeText,
  type FakeAgent,
  get,
  harness,
  IGNORE,
  sleep,
} from '../testing/http-harness.ts';
import { nodeService, rawService } from '../testing/services.ts';

const close = 'Connection: close\r\n';
const post = 'POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi';
const named = (name: string) => nodeService((_, response) => response.end(`<${name}>`));
const to = (id: string) => [upstream(id, `t_${id}`)];
const pool = (...ids: string[]) =>
  ids.map((id) => endpoint(`ep_${id}`, 'http', 'app.test', { pooling: true, upstreams: [upstream(id, `t_${id}`)] }));

describe('kept streams', () => {
  test('close before the upstream’s announced keep-alive, and are not used past it', async () => {
    let open = 0;
    await using service = await rawService((socket) => {
      open++;
      socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 1\r\n\r\nx'));
      socket.on('end', () => {
        open--;
        socket.end();
      });
    });
    await using edge = await harness({ agents: { s1: dial(service.port) }, limits: { upstreamIdleMs: 100 } });
    edge.publish(...pool('s1'));
    const socket = edge.connect();
    await exchangeText(socket, get('/'), /x$/);
    // timeout=1 leaves nothing after the margin of a second.
    await expect.poll(() => open).toBe(0);
    await exchangeText(socket, get('/'), /x$/);
    expect(edge.agents.get('s1')?.streams).toBe(2);
    socket.destroy();
  });

  test('expire by the idle limit; requests around it never fail', async () => {
    await using service = await nodeService((_, response) => response.end('ok'));
    await using edge = await harness({ agents: { s1: dial(service.port) }, limits: { upstreamIdleMs: 300 } });
    edge.publish(...pool('s1'));
    const socket = edge.connect();
    for (const pause of [1, 1, 1, 295, 300, 305, 298, 302, 350]) {
      expect(await exchangeText(socket, get('/'), /ok\r\n|ok$/)).toContain('200 OK');
      await sleep(pause);
    }
    const streams = edge.agents.get('s1')?.streams ?? 0;
    expect(streams).toBeGreaterThan(1);
    expect(streams).toBeLessThan(9);
    await expect.poll(() => edge.agents.get('s1')?.server.streamCount).toBe(0);
    socket.destroy();
  });

  test('are given up when their session is at its cap, else a request waits for room', async () => {
    await using service = await nodeService((_, response) => response.end('ok'));
    await using edge = await harness({ agents: { s1: dial(service.port) } });
    edge.publish(...pool('s1'));
    const socket = edge.connect();
    await exchangeText(socket, get('/'), /ok$/);
    edge.full.add('s1');
    expect(edge.evict('s1')).toBe(true);
    expect(edge.evict('s1')).toBe(false);
    const waiting = edge.talk(get('/', close));
    await sleep(30);
    edge.full.clear();
    expect(await waiting).toContain('200 OK');
    edge.full.add('s1');
    expect(await edge.talk(get('/', close))).toMatch(/^HTTP\/1\.1 503 .*ERR_NGROK_743/s);
    socket.destroy();
  });

  test('an upstream that closes between requests is noticed', async () => {
    await using service = await rawService((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        setTimeout(() => socket.end(), 10);
      });
    });
    await using edge = await harness({ agents: { s1: dial(service.port) } });
    edge.publish(...pool('s1'));
    const socket = edge.connect();
    await exchangeText(socket, get('/'), /ok$/);
    await sleep(40);
    expect(await exchangeText(socket, post.replace(close, ''), /ok$/)).toContain('200 OK');
    socket.destroy();
  });
});

describe('retries', () => {
  test('a refused stream is tried on another pool member, whatever the method', async () => {
    await using service = await nodeService((_, response) => response.end('ok'));
    await using edge = await harness({
      agents: {
        s1: (stream) => {
          stream.reset(9);
          return IGNORE;
        },
        s2: dial(service.port),
      },
    });
    edge.publish(...pool('s1', 's2'));
    const bare = 'POST / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n';
    const refused = (): number => edge.agents.get('s1')?.streams ?? 0;
    // Members are picked by chance: until the first of both has been.
    for (let count = 0; count < 100 && refused() < 3; count++) expect(await edge.talk(bare)).toContain('200 OK');
    expect(refused()).toBeGreaterThan(2);
  });

  test('an end before any answer is tried again once for idempotent requests only', async () => {
    let connections = 0;
    await using service = await rawService((socket) => {
      connections++;
      socket.once('data', () => {
        if (connections % 2 === 1) socket.end();
        else socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    await using edge = await harness({ agents: { s1: dial(service.port) } });
    edge.publish(...pool('s1'));
    expect(await edge.talk(get('/', close))).toContain('200 OK');
    expect(connections).toBe(2);
    expect(await edge.talk(post)).toMatch(/^HTTP\/1\.1 502 .*ERR_NGROK_3004/s);
    expect(connections).toBe(3);
    expect(edge.events.at(-1)).toMatchObject({ status: 502, errorCode: 'ERR_NGROK_3004' });
  });

  test('a request that had not left when its agent was lost goes to another one, whatever its method', async () => {
    await using service = await named('second');
    const asked: string[] = [];
    const first: AgentBehaviour = () => {
      asked.push('first');
      return IGNORE;
    };
    await using edge = await harness({ agents: { s1: first, s2: dial(service.port) } });
    const agent = edge.agents.get('s1');
    if (agent === undefined) throw new Error('no agent');
    const opened: unknown[] = [];
    const open = agent.server.open.bind(agent.server);
    agent.server.open = (...args) => {
      opened.push(args);
      // Before the wire pulls.
      queueMicrotask(() => agent.lose());
      return open(...args);
    };
    edge.publish(...pool('s1', 's2'));
    const bare = 'POST / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n';
    for (let count = 0; count < 50 && opened.length === 0; count++) expect(await edge.talk(bare)).toContain('<second>');
    expect(opened).toHaveLength(1);
    expect(asked).toEqual([]);
  });

  test('a lost agent', async () => {
    const agents: { s1?: FakeAgent } = {};
    await using edge = await harness({ agents: { s1: () => IGNORE } });
    const agent = edge.agents.get('s1');
    if (agent !== undefined) agents.s1 = agent;
    edge.publish(...pool('s1'));
    const answer = edge.talk(get('/', close));
    await sleep(20);
    agents.s1?.lose();
    expect(await answer).toMatch(/^HTTP\/1\.1 502 .*ERR_NGROK_3210/s);
  });
});

describe('bad upstreams', () => {
  test('a service that an agent cannot reach', async () => {
    await using edge = await harness({ agents: { s1: dial(1) } });
    edge.publish(...pool('s1'));
    const text = await edge.talk(get('/', `Accept: application/json\r\n${close}`));
    expect(text).toMatch(/^HTTP\/1\.1 502 .*"error_code":"ERR_NGROK_8012"/s);
    expect(text).toContain('localhost:1');
  });

  test('a 502 of the service itself passes', async () => {
    await using service = await nodeService((_, response) => {
      response.statusCode = 502;
      response.setHeader('content-length', '4');
      response.end('mine');
    });
    await using edge = await harness({ agents: { s1: dial(service.port) } });
    edge.publish(...pool('s1'));
    const text = await edge.talk(get('/', close));
    expect(text).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n.*mine$/s);
    expect(text).not.toMatch(/ngrok-error-code/i);
  });

  test.each([
    ['what is not HTTP', 'SSH-2.0-OpenSSH\r\n', /ERR_NGROK_3004/],
    ['a head without end', `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(2_000)}`, /ERR_NGROK_90008/],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', /ERR_NGROK_3004/],
    ['101 that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', /ERR_NGROK_3004/],
  ])('%s', async (_, bytes, expected) => {
    await using service = await rawService((socket) => {
      socket.once('data', () => socket.write(bytes));
    });
    await using edge = await harness({ agents: { s1: dial(service.port) }, limits: { headBytes: 4_096 } });
    edge.publish(...pool('s1'));
    expect(await edge.talk(get('/', close))).toMatch(expected);
  });

  test('a body that breaks off is not passed as complete', async () => {
    await using service = await rawService((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
        setTimeout(() => socket.end(), 20);
      });
    });
    await using edge = await harness({ agents: { s1: dial(service.port) } });
    edge.publish(...pool('s1'));
    const text = await edge.talk(get('/'));
    expect(text.endsWith('3\r\nabc\r\n')).toBe(true);
    expect(edge.events[0]?.reason).toBe('upstream-invalid');
  });

  test('silence is ended by the idle limit', async () => {
    await using service = await rawService(() => {});
    await using edge = await harness({ agents: { s1: dial(service.port) }, limits: { idleMs: 80 } });
    edge.publish(...pool('s1'));
    expect(await edge.talk(get('/'))).toMatch(/^HTTP\/1\.1 504 .*ERR_NGROK_3005/s);
  });
});

describe('routing', () => {
  test('unknown hosts', async () => {
    await using edge = await harness();
    edge.publish(endpoint('ep_1', 'https', '*.test', { kind: 'cloud' }));
    expect(await edge.talk('GET / HTTP/1.1\r\nHost: nobody.example:8880\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 404 .*Ngrok-Error-Code: ERR_NGROK_3200.*http:\/\/nobody\.example:8880/s,
    );
  });

  test('paths of an HTTPS edge: exact first, then the longest prefix', async () => {
    await using exact = await named('exact');
    await using long = await named('long');
    await using short = await named('short');
    await using edge = await harness({ agents: { a: dial(exact.port), b: dial(long.port), c: dial(short.port) } });
    edge.publish(
      endpoint('ep_1', 'http', 'app.test', {
        kind: 'edge',
        routes: [
          { matchType: 'path_prefix', match: '/', upstreams: to('c') },
          { matchType: 'path_prefix', match: '/long', upstreams: to('b') },
          { matchType: 'exact_path', match: '/long/exact', upstreams: to('a') },
          { matchType: 'exact_path', match: '/off', upstreams: [] },
        ],
      }),
    );
    expect(await edge.talk(get('/long/exact?x=1', close))).toContain('<exact>');
    expect(await edge.talk(get('/long/other', close))).toContain('<long>');
    expect(await edge.talk(get('/', close))).toContain('<short>');
    expect(await edge.talk(get('/off', close))).toMatch(/^HTTP\/1\.1 404 .*ERR_NGROK_3200/s);
    expect(edge.agents.get('a')?.purposes[0]?.edgeType).toBe('3');
  });

  test('a PROXY header stands before the request when the listener asked for it', async () => {
    const seen: string[] = [];
    await using service = await rawService((socket) => {
      socket.once('data', (chunk: Buffer) => {
        seen.push(chunk.toString('latin1'));
        socket.write('HTTP/1.1 204 No Content\r\n\r\n');
      });
    });
    await using edge = await harness({ agents: { s1: dial(service.port) } });
    edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: [upstream('s1', 't1', { proxyProtocol: 1 })] }));
    expect(await edge.talk(get('/', close))).toContain('204 No Content');
    expect(seen[0]).toMatch(/^PROXY TCP4 192\.0\.2\.7 127\.0\.0\.1 \d+ \d+\r\nGET \/ /);
  });
});
