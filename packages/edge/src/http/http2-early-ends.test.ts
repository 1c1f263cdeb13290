import type { CompiledPolicy, Outcome } from '@postern/policy';
import { describe, expect, test } from 'vitest';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { frame } from '../testing/h2-frames.ts';
import { dial, harness, sleep } from '../testing/http-harness.ts';
import { nodeService } from '../testing/services.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1');

/** GET / of app.test on a stream, and its reset. */
function askAndReset(id: number): Buffer {
  const bytes = Buffer.from(
    '\0\0\x0d\x01\x05\0\0\0\0\x82\x86\x84\x41\x08app.test\0\0\x04\x03\0\0\0\0\0\0\0\0\x08',
    'latin1',
  );
  bytes.writeUInt32BE(id, 5);
  bytes.writeUInt32BE(id, 27);
  return bytes;
}

test('requests that are reset in the same breath reach no service, and too many of them end the connection', async () => {
  let seen = 0;
  await using service = await nodeService((_, response) => {
    seen += 1;
    response.end('ok');
  });
  await using edge = await harness({ http2: true, agents: { s1: dial(service.port) } });
  edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: [upstream('s1', 't1')] }));
  const socket = edge.connect();
  socket.on('error', () => {});
  socket.resume();
  const ended = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  socket.on('end', () => socket.destroy());
  socket.write(PREFACE);
  await sleep(50);
  socket.write(Buffer.concat(Array.from({ length: 1_000 }, (_, index) => askAndReset(1 + 2 * index))));
  await ended;
  await sleep(50);
  expect(edge.agents.get('s1')?.streams).toBeLessThan(20);
  expect(seen).toBeLessThan(20);
});

const POST = frame(1, 4, 1, '\x83\x86\x84\x41\x08app.test');

describe('a request whose body has ended before anybody takes it', () => {
  const rows: readonly (readonly [string, Buffer, string])[] = [
    ['empty', frame(0, 1, 1, ''), '""'],
    ['with trailers', Buffer.concat([frame(0, 0, 1, 'hello'), frame(1, 5, 1, '\x00\x05x-sum\x011')]), '"hello" 1'],
    ['empty, with trailers', Buffer.concat([frame(0, 0, 1, ''), frame(1, 5, 1, '\x00\x05x-sum\x011')]), '"" 1'],
  ];
  test.each(rows)('%s', async (_, rest, seen) => {
    const slow: CompiledPolicy = {
      onTcpConnect: null,
      onEventStreamMessage: null,
      onHttpRequest: {
        name: 'on_http_request',
        start: () => ({
          next: () => sleep(50).then((): Outcome => ({ kind: 'continue' })),
          forwardFailed: () => ({ kind: 'continue' }),
        }),
      },
      onHttpResponse: null,
    };
    await using service = await nodeService((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => response.end(`"${body}" ${request.trailers['x-sum'] ?? ''}`.trim()));
    });
    await using edge = await harness({ http2: true, agents: { s1: dial(service.port) }, policies: { slow } });
    edge.publish(endpoint('ep_1', 'http', 'app.test', { policy: 'slow', upstreams: [upstream('s1', 't1')] }));
    const socket = edge.connect();
    socket.on('error', () => {});
    let got = '';
    socket.on('data', (chunk: Buffer) => (got += chunk.toString('latin1')));
    socket.write(Buffer.concat([PREFACE, POST, rest]));
    await expect.poll(() => got).toContain(seen);
    socket.destroy();
  });
});
