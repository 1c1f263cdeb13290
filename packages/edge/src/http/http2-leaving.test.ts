import { expect, test } from 'vitest';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { dial, harness, sleep } from '../testing/http-harness.ts';
import { nodeService } from '../testing/services.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1');
/** GET / of app.test on stream 1. */
const REQUEST = Buffer.from('\0\0\x0d\x01\x05\0\0\0\x01\x82\x86\x84\x41\x08app.test', 'latin1');

test.each([
  ['after its answer', true],
  ['while it waits for its answer', false],
])('an HTTP/2 visitor that ends its connection %s is gone at once, and its upstream with it', async (_, answers) => {
  const left = Promise.withResolvers<void>();
  await using service = await nodeService((request, response) => {
    request.on('error', () => {});
    request.socket.on('close', () => left.resolve());
    if (answers) response.end('ok');
  });
  // A stream that is kept for the next request would outlast the test.
  const limits = { upstreamIdleMs: 3_600_000 };
  await using edge = await harness({ http2: true, agents: { s1: dial(service.port) }, limits });
  edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: [upstream('s1', 't1')] }));
  const socket = edge.connect();
  const closed = new Promise<void>((resolve) => socket.on('end', () => resolve()));
  socket.on('error', () => {});
  const seen = new Promise<void>((resolve) => socket.on('data', (chunk) => chunk.includes('ok') && resolve()));
  socket.write(Buffer.concat([PREFACE, REQUEST]));
  if (answers) await seen;
  else await sleep(100);
  socket.end();
  await Promise.all([closed, left.promise]);
  expect(edge.events.map(({ reason }) => reason)).toEqual([answers ? 'complete' : 'client-gone']);
  socket.destroy();
});
