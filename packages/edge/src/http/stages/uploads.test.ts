import { expect, test } from 'vitest';
import { endpoint, upstream } from '../../testing/fixtures.ts';
import { harness, dial, sleep } from '../../testing/http-harness.ts';
import { nodeService } from '../../testing/services.ts';
import { type Upload, Uploads } from './uploads.ts';

/** What `Uploads` looks at. */
function upload(change: Partial<Upload> = {}): Upload {
  return { startedAt: 0, bytesIn: 100, uploading: true, uploadSession: '', ...change };
}

test('the slowest goes first, and only who is slow by the visitor', () => {
  let now = 60_000;
  const uploads = new Uploads(() => now);
  const slow = upload();
  const slower = upload({ bytesIn: 1 });
  const innocent = [
    upload({ bytesIn: 500 * 60 }),
    upload({ bytesIn: 1, startedAt: 55_000 }),
    upload({ bytesIn: 1, uploading: false }),
  ];
  for (const one of [slow, slower, ...innocent]) uploads.add('s1', one);
  expect(uploads.slowest('s2')).toBeNull();
  expect(uploads.slowest('s1')).toBe(slower);
  uploads.remove(slower);
  uploads.remove(slower);
  expect(uploads.slowest('s1')).toBe(slow);
  uploads.add('s2', slow);
  expect(uploads.slowest('s1')).toBeNull();
  expect(uploads.slowest('s2')).toBe(slow);
  now = 66_000;
  expect(uploads.slowest('s1')).toBe(innocent[1]);
});

test('uploads are known while they last', async () => {
  await using service = await nodeService((request, response) => {
    request.resume();
    request.on('end', () => response.end('ok'));
  });
  await using edge = await harness({ agents: { s1: dial(service.port) } });
  edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: [upstream('s1', 't1')] }));
  const socket = edge.connect();
  let got = '';
  socket.on('data', (chunk: Buffer) => (got += chunk.toString()));
  socket.write('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\n\r\nhel');
  await sleep(50);
  // Young ones stay, however full the session is.
  expect(edge.evict('s1')).toBe(false);
  socket.write('lo');
  await expect.poll(() => got).toContain('200 OK');
  socket.destroy();
});
