import { connect, createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { expect, test } from 'vitest';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { dial, harness, sleep } from '../testing/http-harness.ts';
import { listening } from '../testing/services.ts';

const BYTES = 900_000;

test.each([true, false])(
  'an answer is whole when its service has left before a slow visitor has read it (visitor over HTTP/2: %s)',
  async (http2) => {
    const server = createServer();
    server.on('session', (session: ServerHttp2Session) => session.on('error', () => {}));
    server.on('stream', (stream: ServerHttp2Stream) => {
      stream.on('error', () => {}).resume();
      stream.respond({ ':status': 200 });
      stream.end(Buffer.alloc(BYTES));
      // GOAWAY, and the end of the connection behind the last stream: max_connection_age, a server that stops.
      stream.session?.close();
    });
    await using service = await listening(server);
    await using edge = await harness({ http2, agents: { s1: dial(service.port) } });
    edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: [upstream('s1', 't1', { protocol: 'http2' })] }));
    let bytes = 0;
    const session = http2 ? connect(`http://127.0.0.1:${edge.port}`) : null;
    const visitor = session?.request({ ':path': '/', ':authority': 'app.test' }) ?? edge.connect();
    for (const one of [session, visitor]) one?.on('error', () => {});
    if (session === null) visitor.write('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n');
    await sleep(500);
    visitor.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      visitor.pause();
      setTimeout(() => visitor.resume(), 2);
    });
    await expect.poll(() => edge.events.map(({ reason }) => reason)).toEqual(['complete']);
    await expect.poll(() => bytes).toBeGreaterThanOrEqual(BYTES);
    session?.destroy();
    visitor.destroy();
  },
);
