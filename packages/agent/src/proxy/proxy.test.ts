import net from 'node:net';
import tls from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connectAgent } from '../session.ts';
import type { AgentSession } from '../options.ts';
import { startProxy, type TestProxy } from '../testing/proxies.ts';
import { TEST_CERT, TEST_KEY } from '../testing/identity.ts';
import { TestServer } from '../testing/server.ts';
import { parseProxy } from './proxy-address.ts';

let server: TestServer;
let proxy: TestProxy;
let session: AgentSession | undefined;

beforeEach(async () => {
  server = new TestServer();
  await server.listen();
  proxy = await startProxy();
});

afterEach(async () => {
  await session?.close(0);
  await Promise.all([server.close().catch(() => undefined), proxy.close()]);
});

/** Online, or what was said first against it. */
async function through(url: string, serverAddr = server.addr): Promise<string> {
  await session?.close(0);
  return new Promise((resolve) => {
    session = connectAgent({
      serverAddr,
      serverName: 'localhost',
      ca: TEST_CERT,
      authtoken: 'token',
      proxy: url,
      onStatus({ state, error }) {
        if (state === 'online' || error !== undefined) resolve(`${state}: ${error?.message ?? ''}`);
      },
    });
  });
}

describe.each(['http', 'socks5', 'socks5h'])('%s', (scheme) => {
  test('a connection goes through it, names too', async () => {
    expect(await through(`${scheme}://127.0.0.1:${proxy.port}`, `localhost:${server.port}`)).toBe('online: ');
    expect(proxy.asked).toEqual([`localhost:${server.port}`]);
    expect(session?.latency === undefined || session.latency >= 0).toBe(true);
    const listener = await session?.listen({ upstream: 'http://127.0.0.1:1' });
    expect(listener?.id).toBe('ep_1');
  });

  test('with user and password, written as in URLs', async () => {
    proxy.login = 'ann:p@ss:word';
    expect(await through(`${scheme}://ann:p%40ss%3Aword@127.0.0.1:${proxy.port}`)).toBe('online: ');
  });

  test('wrong and missing ones end it, and are not repeated', async () => {
    proxy.login = 'ann:right';
    const refused = await through(`${scheme}://ann:wrong@127.0.0.1:${proxy.port}`);
    expect(refused).toMatch(/^closed: through the proxy 127\.0\.0\.1:\d+: it does not accept the user and password/);
    expect(refused).not.toContain('wrong');
    expect(await through(`${scheme}://127.0.0.1:${proxy.port}`)).toMatch(/^closed: .*it wants a user and password/);
  });

  test('a server that it cannot reach, or must not, is told with its words', async () => {
    const addr = '127.0.0.1:1';
    expect(await through(`${scheme}://127.0.0.1:${proxy.port}`, addr)).toMatch(
      /^connecting: through the proxy 127\.0\.0\.1:\d+: it cannot connect to 127\.0\.0\.1:/,
    );
    proxy.forbids = true;
    expect(await through(`${scheme}://127.0.0.1:${proxy.port}`, addr)).toMatch(
      /^closed: through the proxy .* not allow/,
    );
  });

  test('one that answers nonsense, or closes, is told by name', async () => {
    proxy.garbage = 'SSH-2.0-hello\r\n\r\n';
    expect(await through(`${scheme}://127.0.0.1:${proxy.port}`)).toMatch(/^connecting: .* it does not speak/);
    proxy.garbage = '';
    expect(await through(`${scheme}://127.0.0.1:${proxy.port}`)).toMatch(/^connecting: .*(closed|reset)/i);
  });
});

test('https: what the proxy is told is encrypted, and its certificate is checked', async () => {
  const before = tls.getCACertificates('default');
  const front = tls.createServer({ cert: TEST_CERT, key: TEST_KEY }, (near) => {
    const far = net.connect({ port: proxy.port, host: '127.0.0.1' });
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) {
      socket.on('error', () => undefined);
      socket.on('close', () => void (near.destroy(), far.destroy()));
    }
  });
  front.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  const address = front.address();
  const port = typeof address === 'object' ? address?.port : 0;
  try {
    proxy.login = 'ann:right';
    expect(await through(`https://ann:right@localhost:${port}`)).toMatch(/self.signed certificate/);
    tls.setDefaultCACertificates([TEST_CERT]);
    expect(await through(`https://ann:right@localhost:${port}`)).toBe('online: ');
    const listener = await session?.listen({ upstream: 'http://127.0.0.1:1' });
    expect(listener?.id).toBe('ep_1');
  } finally {
    tls.setDefaultCACertificates(before);
    await session?.close(0);
    await new Promise((resolve) => front.close(resolve));
  }
});

test('an endless head is not kept', async () => {
  proxy.garbage = `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(10_000)}`;
  expect(await through(`http://127.0.0.1:${proxy.port}`)).toMatch(/more than 16384 bytes/);
});

test('interim answers come before the answer', async () => {
  proxy.interim = true;
  expect(await through(`http://127.0.0.1:${proxy.port}`)).toBe('online: ');
});

describe('the URL of a proxy', () => {
  test.each([
    ['proxy.test:3128', { scheme: 'http', host: 'proxy.test', port: 3128, user: '', password: '' }],
    ['http://proxy.test', { scheme: 'http', host: 'proxy.test', port: 80 }],
    ['https://u:p@proxy.test/', { scheme: 'https', host: 'proxy.test', port: 443, user: 'u', password: 'p' }],
    ['SOCKS5://[::1]', { scheme: 'socks5', host: '::1', port: 1080 }],
    ['socks5h://proxy.test:80', { scheme: 'socks5', host: 'proxy.test', port: 80 }],
    ['http://u:100%25@proxy.test', { user: 'u', password: '100%' }],
  ])('%s', (text, parts) => {
    expect(parseProxy(text)).toMatchObject(parts);
  });

  test.each([
    ['ftp://proxy.test', 'the scheme ftp'],
    ['http://secret:secret@', 'not of the form'],
    ['http://proxy.test/secret', 'has a path'],
    [`socks5://${'x'.repeat(256)}@proxy.test`, 'at most 255 bytes'],
  ])('%s is refused without repeating it', (text, words) => {
    expect(() => parseProxy(text)).toThrow(words);
    expect(() => parseProxy(text)).not.toThrow('secret');
  });
});
