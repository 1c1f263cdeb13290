import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import tls from 'node:tls';
import { writeProxyPreamble } from '@postern/protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AgentSession, ListenOptions, Listener } from '../options.ts';
import { connectAgent } from '../session.ts';
import { TEST_CERT, TEST_KEY } from '../testing/identity.ts';
import { Services } from '../testing/services.ts';
import { TestServer, Visitor } from '../testing/server.ts';

let server: TestServer;
let agent: AgentSession;
let services: Services;

beforeEach(async () => {
  server = new TestServer();
  services = new Services();
  await server.listen();
  agent = connectAgent({ serverAddr: server.addr, ca: TEST_CERT, authtoken: 't' });
});

afterEach(async () => {
  await agent.close(0);
  await server.close();
  await services.close();
});

const start = (upstream: net.Server): Promise<number> => services.start(upstream);

async function listen(options: ListenOptions): Promise<Listener> {
  return agent.listen(options);
}

const sha = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('tcp upstreams', () => {
  test('bytes both ways, and each direction ends by itself', async () => {
    const upstream = net.createServer({ allowHalfOpen: true }, (socket) => {
      socket.write('hello ');
      socket.on('data', (chunk) => socket.write(chunk));
      socket.on('end', () => socket.end('bye'));
    });
    const { id } = await listen({ upstream: `tcp://127.0.0.1:${await start(upstream)}` });
    const visitor = server.visit(id, { first: 'early ', proto: 'tcp' });
    await visitor.until(() => visitor.text === 'hello early ');
    visitor.stream.end(Buffer.from('late '));
    await visitor.over();
    expect(visitor.text).toBe('hello early late bye');
    expect(visitor.resetCode).toBeUndefined();
    expect(visitor.stream.closed).toBe(true);
  });

  test('an upstream that ends first still hears the visitor', async () => {
    let heard = '';
    let finished: (() => void) | undefined;
    const over = new Promise<void>((resolve) => (finished = resolve));
    const upstream = net.createServer({ allowHalfOpen: true }, (socket) => {
      socket.end('done');
      socket.on('data', (chunk) => (heard += String(chunk)));
      socket.on('end', () => finished?.());
    });
    const { id } = await listen({ upstream: `tcp://127.0.0.1:${await start(upstream)}` });
    const visitor = server.visit(id);
    await visitor.over();
    await visitor.write(Buffer.from('still here'));
    visitor.stream.end();
    await over;
    expect([visitor.text, heard]).toEqual(['done', 'still here']);
  });

  test('16 MB each way at once, byte-exact', async () => {
    const upstream = net.createServer((socket) => socket.pipe(socket));
    const { id } = await listen({ upstream: `tcp://127.0.0.1:${await start(upstream)}` });
    const data = randomBytes(16_000_000);
    const visitor = server.visit(id);
    for (let at = 0; at < data.length; at += 100_000) await visitor.write(data.subarray(at, at + 100_000));
    visitor.stream.end();
    await visitor.over();
    expect(sha(Buffer.concat(visitor.chunks))).toBe(sha(data));
  });

  test('many small pieces among bulk of others keep their order', async () => {
    const upstream = net.createServer((socket) => socket.pipe(socket));
    const { id } = await listen({ upstream: `tcp://127.0.0.1:${await start(upstream)}` });
    const visitors = Array.from({ length: 6 }, () => server.visit(id));
    const sent = visitors.map(() => [] as Buffer[]);
    for (let round = 0; round < 120; round++) {
      for (const [index, visitor] of visitors.entries()) {
        const piece = randomBytes(index % 2 === 0 ? 1 + round * 7 : 60_000);
        sent[index]?.push(piece);
        await visitor.write(piece);
      }
    }
    for (const visitor of visitors) visitor.stream.end();
    for (const [index, visitor] of visitors.entries()) {
      await visitor.over();
      expect(sha(Buffer.concat(visitor.chunks))).toBe(sha(Buffer.concat(sent[index] ?? [])));
    }
  });

  test('a visitor that does not read stops its upstream, and nobody else', async () => {
    let produced = 0;
    const upstream = net.createServer((socket) => {
      const chunk = Buffer.alloc(65_536);
      const produce = (): void => {
        while (!socket.destroyed && produced < 500_000_000) {
          produced += chunk.length;
          if (!socket.write(chunk)) break;
        }
      };
      socket.on('drain', produce);
      produce();
    });
    const echo = net.createServer((socket) => socket.pipe(socket));
    const bulk = await listen({ upstream: `tcp://127.0.0.1:${await start(upstream)}` });
    const small = await listen({ upstream: `tcp://127.0.0.1:${await start(echo)}` });
    const stalled = server.visit(bulk.id);
    stalled.stalled = true;
    await stalled.until(() => stalled.received >= 262_144);
    for (let i = 0; i < 20; i++) {
      const visitor = server.visit(small.id, { first: 'ping' });
      await visitor.until(() => visitor.text === 'ping');
      visitor.stream.end();
      await visitor.over();
    }
    // One window here, two queues in the agent, and what the kernel holds.
    expect(stalled.received).toBe(262_144);
    expect(produced).toBeLessThan(30_000_000);
    stalled.stream.reset(6);
  });

  test('a visitor that leaves closes the upstream', async () => {
    let left: (() => void) | undefined;
    const gone = new Promise<void>((resolve) => (left = resolve));
    const upstream = net.createServer((socket) => {
      socket.write('x');
      socket.on('close', () => left?.());
    });
    const { id } = await listen({ upstream: `tcp://127.0.0.1:${await start(upstream)}` });
    const visitor = server.visit(id);
    await visitor.until(() => visitor.received > 0);
    visitor.stream.reset(6);
    await gone;
  });

  test('an upstream that breaks off resets the visitor', async () => {
    const upstream = net.createServer((socket) => {
      socket.write('partial');
      socket.on('data', () => socket.resetAndDestroy());
    });
    const { id } = await listen({ upstream: `tcp://127.0.0.1:${await start(upstream)}` });
    const visitor = server.visit(id);
    await visitor.until(() => visitor.received > 0);
    await visitor.write(Buffer.from('x'));
    await visitor.over();
    expect(visitor.ended).toBe(false);
    expect(visitor.resetCode).toBe(2);
  });

  test('nobody there: an end without a word', async () => {
    const { id } = await listen({ upstream: 'tcp://127.0.0.1:1' });
    const visitor = server.visit(id, { first: 'x'.repeat(1000) });
    await visitor.over();
    expect([visitor.text, visitor.resetCode]).toEqual(['', undefined]);
  });
});

describe('http upstreams', () => {
  test('requests on one stream share one connection', async () => {
    let connections = 0;
    const upstream = http.createServer((request, response) => response.end(`you asked ${request.url}`));
    upstream.on('connection', () => (connections += 1));
    const { id } = await listen({ upstream: `http://127.0.0.1:${await start(upstream)}` });
    const visitor = server.visit(id, { first: 'GET /a HTTP/1.1\r\nhost: x\r\n\r\n' });
    await visitor.until(() => visitor.text.includes('you asked /a'));
    await visitor.write(Buffer.from('GET /b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'));
    await visitor.over();
    expect(visitor.text).toContain('you asked /b');
    expect(connections).toBe(1);
  });

  test('nobody there: a real 502 that names the target', async () => {
    const { id } = await listen({ upstream: 'http://127.0.0.1:1' });
    const visitor = server.visit(id, { first: 'GET / HTTP/1.1\r\nhost: x\r\n\r\n' });
    await visitor.over();
    expect(visitor.text).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
    expect(visitor.text).toContain('\r\nngrok-error-code: ERR_NGROK_8012\r\n');
    expect(visitor.text).toContain('http://127.0.0.1:1');
    const [head = '', body = ''] = visitor.text.split('\r\n\r\n');
    expect(head).toContain(`content-length: ${Buffer.byteLength(body)}`);
    visitor.stream.end();
  });

  test('nobody there: who uploads more than a window can send it all, and is told', async () => {
    const { id } = await listen({ upstream: 'http://127.0.0.1:1' });
    const visitor = server.visit(id, { first: 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3000000\r\n\r\n' });
    for (let at = 0; at < 30; at++) await visitor.write(Buffer.alloc(100_000));
    visitor.stream.end();
    await visitor.over();
    expect(visitor.text).toMatch(/^HTTP\/1\.1 502 Bad Gateway\r\n/);
    expect(visitor.stream.queued).toBe(0);
  });

  test('over TLS, not verified by default', async () => {
    const upstream = tls.createServer(
      { cert: TEST_CERT, key: TEST_KEY, ALPNProtocols: ['h2', 'http/1.1'] },
      (socket) => {
        socket.on('error', () => {});
        socket.end(`alpn ${String(socket.alpnProtocol)}`);
      },
    );
    const port = await start(upstream);
    for (const [forwardsProto, alpn] of [
      ['http1', 'http/1.1'],
      ['http2', 'h2'],
    ] as const) {
      const { id } = await listen({ upstream: `https://127.0.0.1:${port}`, forwardsProto });
      const visitor = server.visit(id);
      await visitor.over();
      expect(visitor.text).toBe(`alpn ${alpn}`);
      visitor.stream.end();
    }
    const { id } = await listen({ upstream: `https://127.0.0.1:${port}`, verifyUpstream: true });
    const visitor = server.visit(id);
    await visitor.over();
    expect(visitor.text).toMatch(/^HTTP\/1\.1 502 .*self-signed certificate/s);
    const trusted = await listen({ upstream: `https://127.0.0.1:${port}`, upstreamCa: TEST_CERT });
    const other = server.visit(trusted.id);
    await other.over();
    expect(other.text).toBe('alpn http/1.1');
  });
});

describe('TLS upstreams', () => {
  test('bulk through the TLS of the agent', async () => {
    const upstream = tls.createServer({ cert: TEST_CERT, key: TEST_KEY }, (socket) => {
      socket.on('error', () => {});
      socket.pipe(socket);
    });
    const { id } = await listen({ upstream: `tls://127.0.0.1:${await start(upstream)}` });
    const data = randomBytes(3_000_000);
    const visitor = server.visit(id, { proto: 'tls', first: 'abc' });
    await visitor.write(data);
    visitor.stream.end();
    await visitor.over();
    expect(sha(Buffer.concat(visitor.chunks))).toBe(sha(Buffer.concat([Buffer.from('abc'), data])));
  });

  test("the visitor's own TLS is passed through untouched", async () => {
    const upstream = net.createServer((socket) => socket.on('data', (chunk) => socket.end(chunk)));
    const { id } = await listen({ proto: 'tls', upstream: `tls://127.0.0.1:${await start(upstream)}` });
    const visitor = server.visit(id, { proto: 'tls', passthrough: true, first: 'client hello' });
    await visitor.over();
    expect(visitor.text).toBe('client hello');
    visitor.stream.end();
  });

  test('a PROXY header goes before TLS, in the clear', async () => {
    let seen = '';
    const secure = tls.createServer({ cert: TEST_CERT, key: TEST_KEY }, (socket) => {
      socket.on('error', () => {});
      socket.on('data', (chunk) => socket.end(`got ${String(chunk)}`));
    });
    const front = net.createServer((socket) => {
      socket.once('readable', () => {
        const bytes: Buffer = socket.read(28) ?? Buffer.alloc(0);
        seen = bytes.toString('hex');
        secure.emit('connection', socket);
      });
    });
    const { id } = await listen({ upstream: `tls://127.0.0.1:${await start(front)}`, proxyProto: 2 });
    const header = writeProxyPreamble(2, { address: '192.0.2.1', port: 1 }, { address: '192.0.2.2', port: 2 });
    const visitor = server.visit(id);
    await visitor.write(header.subarray(0, 10));
    await visitor.write(Buffer.concat([header.subarray(10), Buffer.from('data')]));
    await visitor.over();
    expect(seen).toBe(header.toString('hex'));
    expect(visitor.text).toBe('got data');
    visitor.stream.end();
  });
});

describe('in this process', () => {
  test('an http.Server serves the streams', async () => {
    const app = http.createServer((request, response) => {
      response.end(`${request.socket.remoteAddress} ${request.socket.remotePort} ${request.url}`);
    });
    const { id } = await listen({ upstream: (stream) => app.emit('connection', stream) });
    const visitor = server.visit(id, { first: 'GET /x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n' });
    await visitor.over();
    expect(visitor.text).toMatch(/192\.0\.2\.1 1234 \/x$/);
    visitor.stream.end();
    expect(visitor.stream.closed).toBe(true);
  });

  test('bulk both ways with backpressure', async () => {
    const { id } = await listen({ upstream: (stream) => stream.pipe(stream) });
    const data = randomBytes(4_000_000);
    const visitor = server.visit(id);
    for (let at = 0; at < data.length; at += 50_000) await visitor.write(data.subarray(at, at + 50_000));
    visitor.stream.end();
    await visitor.over();
    expect(sha(Buffer.concat(visitor.chunks))).toBe(sha(data));
  });

  test('a function that throws costs its connection only', async () => {
    const { id } = await listen({
      upstream() {
        throw new Error('owner mistake');
      },
    });
    const visitor = server.visit(id);
    await visitor.over();
    expect(visitor.resetCode).toBe(6);
    expect(agent.state).toBe('online');
  });

  test('a function that destroys its stream resets the visitor; a visitor that leaves is an error', async () => {
    const failures: string[] = [];
    let came = 0;
    const { id } = await listen({
      upstream(stream, info) {
        came += 1;
        stream.on('error', (error) => failures.push(`${info.proto}: ${error.message}`));
        stream.on('data', () => stream.destroy());
      },
    });
    const visitor = server.visit(id, { first: 'x' });
    await visitor.over();
    expect(visitor.resetCode).toBe(6);
    const leaving = server.visit(id, { proto: 'http' });
    await expect.poll(() => came).toBe(2);
    leaving.stream.reset(6);
    await expect.poll(() => failures).toEqual(['http: the connection was reset with code 6']);
  });
});

describe('streams', () => {
  test('of an unknown listener end at once', async () => {
    await agent.online();
    const visitor = server.visit('nobody', { first: 'x' });
    await visitor.over();
    expect([visitor.text, visitor.resetCode]).toEqual(['', undefined]);
  });

  test('that are faster than the answer to the bind wait for it', async () => {
    let early: ReturnType<TestServer['visit']> | undefined;
    server.behaviour.onBound = (_session, id) => {
      early ??= server.visit(id, { first: 'early' });
      early.stream.end();
    };
    const listening = listen({ upstream: (stream) => stream.pipe(stream) });
    const { id } = await listening;
    expect(id).toBe('ep_1');
    await early?.over();
    expect(early?.text).toBe('early');
  });

  test('with a broken header are reset', async () => {
    await agent.online();
    const visitor = new Visitor(server.newest.mux, Buffer.from('ffffffffffffffff', 'hex'));
    await visitor.over();
    expect(visitor.resetCode).toBe(1);
  });

  test('under way are finished before the session closes', async () => {
    const came: net.Socket[] = [];
    const upstream = net.createServer((socket) => socket.on('data', () => came.push(socket)));
    const { id } = await listen({ upstream: `tcp://127.0.0.1:${await start(upstream)}` });
    const visitor = server.visit(id, { first: 'x' });
    void visitor.over().then(() => visitor.stream.end());
    await expect.poll(() => came).toHaveLength(1);
    const closed = agent.close();
    came[0]?.end('slow');
    await closed;
    expect([visitor.text, visitor.resetCode]).toEqual(['slow', undefined]);
  });
});
