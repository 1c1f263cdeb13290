import { connect as http2Connect } from 'node:http2';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { edgeHarness, eventually, readAll, visitorConnections } from '../testing/edge-harness.ts';
import { echo, IDLE, type StreamTaker } from '../testing/fake-agent.ts';
import { freePort } from '../testing/free-port.ts';

/** Answers every request head with a small response that names the path. */
const web: StreamTaker = (stream, _header, rest) => {
  const answer = (chunk: Buffer): void => {
    for (const [, path = ''] of String(chunk).matchAll(/^GET (\S+) HTTP\/1\.1$/gm))
      stream.write(Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: ${path.length}\r\n\r\n${path}`));
  };
  answer(rest);
  return {
    ...IDLE,
    onData: (chunk) => {
      stream.consume(chunk.length);
      answer(chunk);
    },
    onEnd: () => stream.end(),
  };
};

describe('http and https', () => {
  test('a request reaches the agent over TLS, HTTP/1.1 and HTTP/2', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.agent();
    agent.onStream(web);
    await agent.bind('https://web.example.test');
    const visitor = await harness.tls('web.example.test', { ALPNProtocols: ['http/1.1'] });
    visitor.write('GET /one HTTP/1.1\r\nHost: web.example.test\r\nConnection: close\r\n\r\n');
    expect(String(await readAll(visitor))).toMatch(/^HTTP\/1\.1 200 [^]*\/one$/);
    const socket = await harness.tls('web.example.test', { ALPNProtocols: ['h2', 'http/1.1'] });
    const session = http2Connect('https://web.example.test', { createConnection: () => socket });
    const request = session.request({ ':path': '/two' });
    request.setEncoding('utf8');
    let body = '';
    request.on('data', (text: string) => (body += text));
    const status = new Promise((resolve) => request.once('response', (headers) => resolve(headers[':status'])));
    expect(await status).toBe(200);
    await once(request, 'end');
    expect(body).toBe('/two');
    session.destroy();
    expect(agent.headers[0]).toMatchObject({ proto: 'https', passthroughTls: false });
  });

  test('a name without an endpoint is told that it is offline, over TLS as well', async () => {
    await using harness = await edgeHarness();
    const request = 'GET / HTTP/1.1\r\nHost: gone.example.test\r\nConnection: close\r\n\r\n';
    const plain = await harness.tcp(harness.edge.addresses.http.port);
    plain.write(request);
    expect(String(await readAll(plain))).toMatch(/^HTTP\/1\.1 404 [^]*ERR_NGROK_3200/);
    const secure = await harness.tls('gone.example.test');
    secure.write(request);
    expect(String(await readAll(secure))).toMatch(/^HTTP\/1\.1 404 [^]*ERR_NGROK_3200/);
  });

  test('an https endpoint may refuse connections before the handshake', async () => {
    await using harness = await edgeHarness();
    const agent = await harness.agent();
    harness.control.shapes.set('https://shut.example.test', {
      policy: JSON.stringify({ on_tcp_connect: [{ actions: [{ type: 'close-connection' }] }] }),
    });
    await agent.bind('https://shut.example.test');
    await expect(harness.tls('shut.example.test')).rejects.toThrow(/disconnected|ECONNRESET/);
  });
});

describe('PROXY protocol in front', () => {
  const config = { trustedProxies: ['127.0.0.0/8'], proxyProtocol: true };

  test('says who the visitor is, also when it arrives with the first bytes', async () => {
    await using harness = await edgeHarness({ config });
    const direct = await harness.tcp(harness.edge.addresses.agents.port);
    direct.write('PROXY TCP4 198.51.100.7 203.0.113.1 4711 443\r\nGET / HTTP/1.1\r\n\r\n');
    expect(String(await readAll(direct))).toContain('ERR_NGROK_90006');
    const http = await harness.tcp(harness.edge.addresses.http.port);
    http.write('PROXY TCP4 198.51.100.7 203.0.113.1 4711 80\r\nGET / HTTP/1.1\r\nHost: gone.example.test\r\n');
    http.write('Connection: close\r\n\r\n');
    expect(String(await readAll(http))).toMatch(/ERR_NGROK_3200/);
    await eventually(async () => (await harness.control.events()).length === 1);
    expect((await harness.control.events())[0]?.clientAddr).toBe('198.51.100.7:4711');
  });

  test.each(['GET / HTTP/1.1\r\n\r\n', 'PROXY TCP4 nonsense\r\n'])(
    'a trusted proxy that sends %j is closed',
    async (text) => {
      await using harness = await edgeHarness({ config });
      const socket = await harness.tcp(harness.edge.addresses.http.port);
      socket.write(text);
      expect(await readAll(socket)).toHaveLength(0);
    },
  );

  test('is not believed from others', async () => {
    await using harness = await edgeHarness({ config: { ...config, trustedProxies: ['192.0.2.0/24'] } });
    const socket = await harness.tcp(harness.edge.addresses.http.port);
    socket.write('PROXY TCP4 198.51.100.7 203.0.113.1 4711 80\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(String(await readAll(socket))).toMatch(/^HTTP\/1\.1 400 /);
  });
});

test('connections over the limit of one address are turned away, others are not touched', async () => {
  await using harness = await edgeHarness({ limits: { connectionsPerIp: 2 } });
  const agent = await harness.agent();
  agent.onStream(echo);
  const port = await freePort();
  await agent.bind(`tcp://localhost:${port}`);
  const [first, second] = [await harness.tcp(port), await harness.tcp(port)];
  await eventually(async () => (await visitorConnections(harness)) === 2);
  await harness.tcp(port).then(readAll, () => {});
  const { listeners } = await harness.edge.stats();
  expect(listeners.filter(({ refused }) => refused > 0)).toMatchObject([{ name: 'tcp', refused: 1 }]);
  second.destroy();
  await eventually(async () => (await visitorConnections(harness)) === 1);
  const fourth = await harness.tcp(port);
  for (const visitor of [first, fourth]) {
    visitor.end('x');
    expect(String(await readAll(visitor))).toBe('x');
  }
});
