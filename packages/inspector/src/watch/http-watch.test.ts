import { gzipSync } from 'node:zlib';
import { writeProxyPreamble } from '@postern/protocol';
import { describe, expect, test } from 'vitest';
import { inPieces, Watched } from '../testing/watched.ts';

const GET = 'GET /a?b=1 HTTP/1.1\r\nHost: x.test\r\n\r\n';
const POST = 'POST /in HTTP/1.1\r\nHost: x.test\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello';
const CHUNKED =
  'POST /in HTTP/1.1\r\nHost: x.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok';
const OK_CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwell\r\n0\r\nX-End: 1\r\n\r\n';

describe('exchanges are found wherever the bytes are cut', () => {
  test.each([1, 2, 3, 7, 16, 64, 100_000])('in pieces of %i', (size) => {
    const watched = new Watched();
    const connection = watched.connection();
    for (const [request, response] of [
      [GET, OK],
      [POST, OK_CHUNKED],
      [CHUNKED, `HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${OK}`],
      ['HEAD / HTTP/1.1\r\nHost: x.test\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n'],
      [GET, 'HTTP/1.1 304 Not Modified\r\n\r\n'],
    ] as const) {
      inPieces(request, size, (chunk) => connection.fromVisitor(chunk));
      watched.time += 5;
      inPieces(response, size, (chunk) => connection.fromService(chunk));
    }
    connection.over();
    expect(
      watched.summaries.map(({ method, path, status, outcome, duration }) => [method, path, status, outcome, duration]),
    ).toEqual([
      ['GET', '/a?b=1', 200, 'done', 5],
      ['POST', '/in', 200, 'done', 5],
      ['POST', '/in', 200, 'done', 5],
      ['HEAD', '/', 200, 'done', 5],
      ['GET', '/a?b=1', 304, 'done', 5],
    ]);
    const [first, second, third] = watched.details;
    expect(first).toMatchObject({
      tunnel: 'web',
      client: '192.0.2.1:1234',
      timing: { requestEnd: 0, firstByte: 5, end: 5 },
    });
    expect(first?.request.raw).toBe(GET);
    expect(first?.response?.raw).toBe(OK);
    expect(second?.request.body).toMatchObject({ text: 'hello', size: 5, truncated: false, type: 'text/plain' });
    expect(second?.response?.body).toMatchObject({ text: 'well' });
    expect(third?.request.body).toMatchObject({ text: 'abcde' });
    expect(third?.response?.line).toEqual(['HTTP/1.1', '200', 'OK']);
  });
});

test('requests that come before the answers to others are told apart', () => {
  const watched = new Watched();
  const connection = watched.connection();
  const head = 'HEAD /h HTTP/1.1\r\nHost: x.test\r\n\r\n';
  connection.fromVisitor(Buffer.from(GET + head + CHUNKED + GET + head));
  connection.fromService(Buffer.from(`${OK_CHUNKED}HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n${OK}${OK}`));
  connection.fromService(Buffer.from('HTTP/1.1 204 No Content\r\n\r\n'));
  expect(watched.summaries.map(({ method, status, outcome }) => [method, status, outcome])).toEqual([
    ['GET', 200, 'done'],
    ['HEAD', 200, 'done'],
    ['POST', 200, 'done'],
    ['GET', 200, 'done'],
    ['HEAD', 204, 'done'],
  ]);
  expect(watched.details.map(({ response }) => response?.body.text)).toEqual(['well', '', 'ok', 'ok', '']);
});

test('an answer may come before its request is whole', () => {
  const watched = new Watched();
  const connection = watched.connection();
  connection.fromVisitor(Buffer.from('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab'));
  connection.fromService(Buffer.from(OK));
  expect(watched.summaries).toMatchObject([{ status: 200, outcome: 'open' }]);
  connection.fromVisitor(Buffer.from(`cd${GET}`));
  connection.fromService(Buffer.from(OK_CHUNKED));
  expect(watched.summaries).toMatchObject([
    { status: 200, outcome: 'done' },
    { status: 200, outcome: 'done', path: '/a?b=1' },
  ]);
});

test('what ends with the connection: a body until then is whole, anything else is cut', () => {
  const watched = new Watched();
  const closing = watched.connection();
  closing.fromVisitor(Buffer.from(GET));
  closing.fromService(Buffer.from('HTTP/1.1 200 OK\r\n\r\nall of '));
  closing.fromService(Buffer.from('it'));
  closing.over();
  const cut = watched.connection();
  cut.fromVisitor(Buffer.from(GET));
  cut.fromService(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'));
  cut.over();
  const left = watched.connection();
  left.fromVisitor(Buffer.from(GET));
  left.over();
  expect(watched.summaries.map(({ status, outcome }) => [status, outcome])).toEqual([
    [200, 'done'],
    [200, 'cut'],
    [0, 'cut'],
  ]);
  expect(watched.details[0]?.response?.body.text).toBe('all of it');
  expect(watched.details[2]?.response).toBeNull();
});

test('what is no HTTP/1 is recorded as bytes, and nothing is read of it', () => {
  const watched = new Watched();
  const http2 = watched.connection();
  inPieces('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0', 7, (chunk) => http2.fromVisitor(chunk));
  http2.fromService(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
  http2.over();
  const odd = watched.connection();
  odd.fromVisitor(Buffer.from(GET));
  odd.fromService(Buffer.from('SSH-2.0-OpenSSH\r\n'));
  odd.fromVisitor(Buffer.from(GET));
  odd.over();
  expect(watched.summaries.map(({ method, outcome, bytes }) => [method, outcome, bytes])).toEqual([
    ['PRI', 'unreadable', 9],
    ['GET', 'unreadable', 17],
  ]);
});

test('bodies are kept up to a bound, and counted beyond it', () => {
  const watched = new Watched(64 * 1024 * 1024);
  const connection = watched.connection();
  connection.fromVisitor(Buffer.from(GET));
  connection.fromService(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n'));
  for (let sent = 0; sent < 3_000_000; sent += 100_000) connection.fromService(Buffer.alloc(100_000, 120));
  const [detail] = watched.details;
  expect(detail).toMatchObject({ outcome: 'done', response: { body: { truncated: true } } });
  expect(detail?.response?.body.wireBytes).toBeGreaterThan(3_000_000);
  expect(detail?.response?.raw.length).toBe(262_144);
});

test('encoded bodies are shown decoded, and no further than 4 MiB', () => {
  const watched = new Watched();
  const connection = watched.connection();
  for (const body of [gzipSync('{"a":1}'), gzipSync(Buffer.alloc(20_000_000))]) {
    connection.fromVisitor(Buffer.from(GET));
    connection.fromService(
      Buffer.from(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`),
    );
    connection.fromService(body);
  }
  expect(watched.details[0]?.response?.body).toMatchObject({ text: '{"a":1}', size: 7 });
  expect(watched.details[1]?.response?.body.problem).toContain('gzip');
});

test('a PROXY header in front is passed over', () => {
  const watched = new Watched();
  for (const version of [1, 2] as const) {
    const connection = watched.connection({ behindProxyHeader: true });
    const preamble = writeProxyPreamble(version, { address: '192.0.2.1', port: 1 }, { address: '192.0.2.2', port: 2 });
    inPieces(Buffer.concat([preamble, Buffer.from(GET)]), 5, (chunk) => connection.fromVisitor(chunk));
    connection.fromService(Buffer.from(OK));
  }
  expect(watched.summaries).toMatchObject([
    { method: 'GET', outcome: 'done' },
    { method: 'GET', outcome: 'done' },
  ]);
});

test.each([1, 3, 1000])('frames of a WebSocket, in pieces of %i', (size) => {
  const watched = new Watched();
  const connection = watched.connection();
  connection.fromVisitor(
    Buffer.from('GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
  );
  const long = 'x'.repeat(300);
  const server = Buffer.concat([
    Buffer.from('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'),
    Buffer.from([0x81, 5, ...Buffer.from('hello')]),
    Buffer.from([0x82, 126, 1, 44, ...Buffer.from(long)]),
    Buffer.from([0x88, 2, 3, 232]),
  ]);
  inPieces(server.toString('latin1'), size, (chunk) => connection.fromService(chunk));
  const mask = [1, 2, 3, 4];
  const masked = [...Buffer.from('visitor')].map((byte, at) => byte ^ (mask[at % 4] ?? 0));
  const client = Buffer.from([0x81, 0x80 | 7, ...mask, ...masked, 0x8a, 0x80, ...mask]);
  const before = client.toString('hex');
  inPieces(client, size, (chunk) => connection.fromVisitor(chunk));
  expect(client.toString('hex')).toBe(before);
  expect(watched.messages.map(({ opcode, fromVisitor, text, bytes }) => [opcode, fromVisitor, text, bytes])).toEqual([
    [1, false, 'hello', 5],
    [2, false, long, 300],
    [8, false, undefined, 2],
    [1, true, 'visitor', 7],
    [10, true, '', 0],
  ]);
  expect(watched.summaries).toMatchObject([{ status: 101, outcome: 'open', streams: 'websocket', messages: 5 }]);
  connection.over();
  expect(watched.summaries).toMatchObject([{ outcome: 'done' }]);
});

test.each([1, 2, 1000])('events of an event stream, in pieces of %i', (size) => {
  const watched = new Watched();
  const connection = watched.connection();
  connection.fromVisitor(Buffer.from(GET));
  const body = 'data: one\n\nevent: x\r\ndata: two\r\n\r\ndata: three\r\rdata: unfini';
  const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n';
  inPieces(head + body, size, (chunk) => connection.fromService(chunk));
  connection.over();
  expect(watched.messages.map(({ kind, text }) => [kind, text])).toEqual([
    ['event', 'data: one\n'],
    ['event', 'event: x\r\ndata: two\r\n'],
    ['event', 'data: three\r'],
    ['event', 'data: unfini'],
  ]);
  expect(watched.summaries).toMatchObject([{ streams: 'events', outcome: 'done' }]);
});
