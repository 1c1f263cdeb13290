import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, constants, type ClientHttp2Session, type OutgoingHttpHeaders } from 'node:http2';
import { expect, test } from 'vitest';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { dial, harness } from '../testing/http-harness.ts';
import { listening } from '../testing/services.ts';

/** A visitor that has seen the settings, and whose acknowledgement of them has come. */
async function visitor(connection: () => ReturnType<Awaited<ReturnType<typeof harness>>['connect']>) {
  const session = connect('http://app.test', { createConnection: connection, maxSendHeaderBlockLength: 1 << 24 });
  session.on('error', () => {});
  await once(session, 'remoteSettings');
  await new Promise<void>((resolve) => session.ping(() => resolve()));
  return session;
}

function get(session: ClientHttp2Session, fields: OutgoingHttpHeaders): Promise<number | string> {
  const stream = session.request({ ':path': '/', ':authority': 'app.test', ':scheme': 'http', ...fields });
  stream.resume();
  return new Promise((resolve) => {
    stream.on('response', (headers) => resolve(headers[':status'] ?? 0));
    stream.on('error', (error) => resolve(error.message));
    stream.on('close', () => resolve('closed'));
  });
}

test('less is advertised than taken, and what is too much is 431 on its stream', async () => {
  const server = createServer({ maxHeaderSize: 1 << 20 }, (request, response) => {
    setTimeout(() => response.end('ok'), request.url === '/slow' ? 300 : 0);
  });
  await using service = await listening(server);
  await using edge = await harness({ http2: true, agents: { s1: dial(service.port) } });
  edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: [upstream('s1', 't1')] }));
  const session = await visitor(() => edge.connect());
  expect(session.remoteSettings).toMatchObject({
    // No name or value that the HTTP/2 library cannot take is below it.
    maxHeaderListSize: 65_536,
    maxConcurrentStreams: 100,
    initialWindowSize: 262_144,
  });
  const slow = get(session, { ':path': '/slow' });
  const heads = (count: number, size: number): OutgoingHttpHeaders => ({
    x: Array<string>(count).fill('y'.repeat(size)),
  });
  expect(await get(session, heads(1, 60_000))).toBe(200);
  expect(await get(session, heads(100, 1_000))).toBe(200);
  expect(await get(session, heads(240, 1_000))).toBe(200);
  expect(await get(session, heads(300, 1_000))).toBe(431);
  expect(await get(session, heads(3_000, 1_000))).toMatch(/ENHANCE_YOUR_CALM/);
  expect(await slow).toBe(200);
  expect(await get(session, {})).toBe(200);
  session.destroy();
});

test('an answer whose head clients could not take is 502 on its stream', async () => {
  const server = createServer((request, response) => {
    const [, count = '0', size = '0', where] = request.url?.split('/') ?? [];
    const fields = Array.from({ length: Number(count) }, (_, at): [string, string] => [
      `x-${at}`,
      'y'.repeat(Number(size)),
    ]);
    if (where === 'head') response.writeHead(200, fields.flat()).end('ok');
    else if (where === 'trailers') {
      response.writeHead(200, { trailer: 'x' }).write('ok');
      response.addTrailers(fields);
      response.end();
    } else setTimeout(() => response.end('ok'), 300);
  });
  await using service = await listening(server);
  await using edge = await harness({ http2: true, agents: { s1: dial(service.port) } });
  edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: [upstream('s1', 't1')] }));
  const session = connect('http://app.test', { createConnection: () => edge.connect() });
  session.on('error', () => {});
  const slow = get(session, { ':path': '/' });
  expect(await get(session, { ':path': '/120/1000/head' })).toBe(200);
  expect(await get(session, { ':path': '/200/1000/head' })).toBe(502);
  expect(await get(session, { ':path': '/900/200/head' })).toBe(502);
  expect(await get(session, { ':path': '/1/60000/head' })).toBe(200);
  expect(await get(session, { ':path': '/1/70000/head' })).toBe(502);
  const cut = session.request({ ':path': '/200/1000/trailers', ':authority': 'app.test', ':scheme': 'http' });
  cut.resume();
  await once(cut, 'error');
  expect(cut.rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR);
  expect(await slow).toBe(200);
  expect(await get(session, { ':path': '/1/1/head' })).toBe(200);
  session.destroy();
});

test('the settings come as one frame', async () => {
  await using edge = await harness({ http2: true, agents: {} });
  const socket = edge.connect();
  socket.on('error', () => {});
  let got = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => (got = Buffer.concat([got, chunk])));
  // The client's own settings, and one acknowledgement: a second one would be an error.
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\0\x04\x01\0\0\0\0', 'latin1');
  socket.write(`\0\0\x08\x06\0\0\0\0\x00pingpong`, 'latin1');
  const types: number[] = [];
  await expect
    .poll(() => {
      types.length = 0;
      for (let at = 0; at + 9 <= got.length; at += 9 + got.readUIntBE(at, 3)) types.push(got.readUIntBE(at + 3, 2));
      return types;
    })
    .toContainEqual(0x0601);
  // SETTINGS, WINDOW_UPDATE, the acknowledgement of the client's, and the answer to its ping.
  expect(types.toSorted((a, b) => a - b)).toEqual([0x0400, 0x0401, 0x0601, 0x0800]);
  socket.destroy();
});
