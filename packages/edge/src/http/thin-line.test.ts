import { createServer, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { dial, harness } from './testing.ts';

test('a GET passes through an agent stream', async () => {
  const seen: string[] = [];
  const service = createServer((socket) => {
    socket.on('data', (chunk) => {
      seen.push(chunk.toString('latin1'));
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nngrok-error-code: ERR_NGROK_1\r\nX-A: b\r\n\r\nhello');
    });
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  await using edge = await harness({ agents: { s1: dial((service.address() as AddressInfo).port) } });
  edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: [upstream('s1', 't1')] }));

  const socket = edge.connect();
  const { exchangeText } = await import('./testing.ts');
  const first = await exchangeText(socket, 'GET /a?b=1 HTTP/1.1\r\nHost: App.test\r\nX-Two: 2\r\n\r\n', /hello$/);
  expect(first).toBe('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello');
  const second = await exchangeText(socket, 'GET /2 HTTP/1.1\r\nHost: App.test\r\n\r\n', /hello$/);
  expect(second).toContain('200 OK');
  expect(seen[0]).toBe(
    'GET /a?b=1 HTTP/1.1\r\nHost: App.test\r\nX-Two: 2\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Host: App.test\r\nX-Forwarded-Proto: http\r\n\r\n',
  );
  expect(edge.agents.get('s1')?.streams).toBe(1);
  expect(edge.events.map(({ status, reason, path }) => [status, reason, path])).toEqual([
    [200, 'complete', '/a'],
    [200, 'complete', '/2'],
  ]);
  socket.destroy();
  service.close();
});
