import net from 'node:net';
import tls from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AgentSession, ListenOptions, Listener } from '../options.ts';
import { connectAgent } from '../session.ts';
import { TEST_CERT, TEST_KEY } from '../testing/identity.ts';
import { Services } from '../testing/services.ts';
import { TestServer } from '../testing/server.ts';
import { openUpstream } from './open-upstream.ts';

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

describe('a connection that is watched', () => {
  /** A watch that keeps what it sees as text. */
  function watching(fail: 'opening' | 'seeing' | 'nothing' = 'nothing') {
    const seen = { visitor: '', service: '', over: 0, proxied: false };
    const watch: NonNullable<ListenOptions['watch']> = (info) => {
      if (fail === 'opening') throw new Error('no watch');
      seen.proxied = info.behindProxyHeader;
      return {
        fromVisitor(chunk) {
          seen.visitor += chunk.toString('latin1');
          if (fail === 'seeing') throw new Error('no sight');
        },
        fromService: (chunk) => void (seen.service += chunk.toString('latin1')),
        over: () => void (seen.over += 1),
      };
    };
    return { seen, watch };
  }
  const echo = (): net.Server =>
    net.createServer((socket) => socket.on('data', (chunk) => socket.end(`<${chunk.toString()}>`)));

  test.each(['socket', 'function'] as const)('both directions are seen, and the end once: %s', async (kind) => {
    const { seen, watch } = watching();
    const port = await start(echo());
    const upstream =
      kind === 'socket'
        ? `http://127.0.0.1:${port}`
        : (stream: NodeJS.ReadWriteStream) =>
            void stream.on('data', (chunk: Buffer) => stream.end(`<${chunk.toString()}>`));
    const { id } = await listen({ upstream, watch });
    const visitor = server.visit(id, { first: 'hello' });
    await visitor.over();
    visitor.stream.end();
    await expect.poll(() => seen).toEqual({ visitor: 'hello', service: '<hello>', over: 1, proxied: false });
  });

  test('what a watch throws costs the visitor nothing, and ends the watching', async () => {
    const port = await start(echo());
    for (const fail of ['opening', 'seeing'] as const) {
      const { seen, watch } = watching(fail);
      const { id } = await listen({ upstream: `http://127.0.0.1:${port}`, watch });
      const visitor = server.visit(id, { first: 'hello' });
      await visitor.over();
      visitor.stream.end();
      expect(visitor.text).toBe('<hello>');
      expect(seen).toMatchObject({ service: '', over: fail === 'opening' ? 0 : 1 });
    }
  });

  test('the answer of this agent where there is no service is seen as well', async () => {
    const { seen, watch } = watching();
    const { id } = await listen({ upstream: 'http://127.0.0.1:1', watch });
    const visitor = server.visit(id, { first: 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' });
    await visitor.over();
    await expect.poll(() => seen).toMatchObject({ over: 1 });
    expect(seen.visitor).toContain('GET /');
    expect(seen.service).toBe(visitor.text);
  });
});

describe('a connection of this agent itself to an upstream', () => {
  test('is made as visitors are: TLS, PROXY header, function', async () => {
    const secure = tls.createServer({ cert: TEST_CERT, key: TEST_KEY }, (socket) =>
      socket.on('error', () => {}).pipe(socket),
    );
    const plain = net.createServer((socket) => socket.pipe(socket));
    const read = async (options: ListenOptions): Promise<string> => {
      const connection = openUpstream(options);
      connection.end('ping');
      let text = '';
      for await (const chunk of connection) text += String(chunk);
      return text;
    };
    expect(await read({ upstream: `https://127.0.0.1:${await start(secure)}` })).toBe('ping');
    const port = await start(plain);
    expect(await read({ upstream: `http://127.0.0.1:${port}`, proxyProto: 1 })).toMatch(/^PROXY .*\r\nping$/);
    expect(await read({ upstream: (stream) => stream.pipe(stream) })).toBe('ping');
    await expect(read({ upstream: 'http://127.0.0.1:1' })).rejects.toThrow('ECONNREFUSED');
  });
});
