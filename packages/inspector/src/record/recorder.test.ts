import { expect, test } from 'vitest';
import { Watched } from '../testing/watched.ts';

const MiB = 1024 * 1024;
const GET = Buffer.from('GET /x HTTP/1.1\r\nHost: x.test\r\n\r\n');

function exchange(watched: Watched, body: Buffer): void {
  const connection = watched.connection();
  connection.fromVisitor(GET);
  connection.fromService(Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`));
  connection.fromService(body);
  connection.over();
}

test('what is oldest makes room, and what is shown is whole', () => {
  const watched = new Watched(2 * MiB);
  for (let at = 0; at < 400; at++) exchange(watched, Buffer.alloc(20_000, at % 256));
  const { details } = watched;
  expect(details.length).toBeGreaterThan(40);
  expect(details.length).toBeLessThan(80);
  details.forEach((detail, index) => {
    const byte = (400 - details.length + index) % 256;
    expect(detail.response?.raw.endsWith(String.fromCharCode(byte).repeat(20_000))).toBe(true);
  });
});

test('records have a bound of their own', () => {
  const watched = new Watched(MiB);
  for (let at = 0; at < 3_000; at++) exchange(watched, Buffer.from('x'));
  expect(watched.summaries.length).toBe(256);
});

test('a connection that is open stays while others pass, and its frames do', () => {
  const watched = new Watched(MiB);
  const socket = watched.connection();
  socket.fromVisitor(Buffer.from('GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'));
  socket.fromService(Buffer.from('HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'));
  for (let at = 0; at < 2_000; at++) exchange(watched, Buffer.alloc(3_000));
  for (let at = 0; at < 2_000; at++) socket.fromService(Buffer.from([0x81, 2, 104, 105]));
  expect(watched.summaries[0]).toMatchObject({ path: '/ws', outcome: 'open', messages: 2_000 });
  expect(watched.messages.length).toBeGreaterThan(100);
  expect(watched.messages.length).toBeLessThan(257);
  expect(watched.messages.at(-1)).toMatchObject({ number: 2_000, text: 'hi' });
  // More of them than may stay make room as well.
  for (let at = 0; at < 500; at++) watched.connection().fromVisitor(GET);
  expect(watched.summaries.length).toBeLessThan(257);
});

test('connections that never finish a head hold no more than the bound', () => {
  const watched = new Watched(MiB);
  for (let at = 0; at < 100; at++) watched.connection().fromVisitor(Buffer.alloc(60_000, 65));
  expect(watched.summaries).toEqual([]);
  exchange(watched, Buffer.alloc(10));
  expect(watched.summaries).toMatchObject([{ path: '/x', outcome: 'done' }]);
});

test('clear forgets everything; what was under way is not kept any more', () => {
  const watched = new Watched(MiB);
  exchange(watched, Buffer.alloc(10));
  const open = watched.connection();
  open.fromVisitor(GET);
  const id = watched.summaries[0]?.id ?? '';
  expect(watched.recorder.find(id)).toBeDefined();
  watched.recorder.clear();
  open.fromService(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
  expect(watched.summaries).toEqual([]);
  expect(watched.recorder.find(id)).toBeUndefined();
  open.fromVisitor(GET);
  expect(watched.summaries).toMatchObject([{ path: '/x' }]);
});
