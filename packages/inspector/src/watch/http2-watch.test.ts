/** HTTP/2 between a real client and a real server, watched on its way. */
import { once } from 'node:events';
import http2 from 'node:http2';
import net from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Watched } from '../testing/watched.ts';
import { search } from '../view/search.ts';

let watched: Watched;
let close: (() => void)[];
beforeEach(() => {
  watched = new Watched();
  close = [];
});
afterEach(() => {
  for (const end of close.toReversed()) end();
});

interface Options {
  readonly pieces?: number;
  readonly client?: http2.Settings;
  readonly server?: http2.Settings;
}

async function connect(
  serve: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void,
  { pieces = Infinity, client: clientSettings = {}, server: serverSettings = {} }: Options = {},
): Promise<http2.ClientHttp2Session> {
  const server = http2.createServer({ settings: serverSettings });
  server.on('stream', serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const relay = net.createServer((near) => {
    const watch = watched.connection();
    const far = net.connect({ port: portOf(server), host: '127.0.0.1' });
    // The preface comes in one piece, whatever comes behind it.
    let isFirst = true;
    near.on('data', (chunk: Buffer) => {
      const whole = isFirst ? 24 : 0;
      isFirst = false;
      if (whole > 0) watch.fromVisitor(chunk.subarray(0, whole));
      for (let at = whole; at < chunk.length; at += pieces) watch.fromVisitor(chunk.subarray(at, at + pieces));
      far.write(chunk);
    });
    far.on('data', (chunk: Buffer) => {
      for (let at = 0; at < chunk.length; at += pieces) watch.fromService(chunk.subarray(at, at + pieces));
      near.write(chunk);
    });
    near.on('close', () => {
      watch.over();
      far.destroy();
    });
    far.on('close', () => near.destroy());
    for (const socket of [near, far]) socket.on('error', () => undefined);
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const client = http2.connect(`http://127.0.0.1:${portOf(relay)}`, { settings: clientSettings });
  client.on('error', () => undefined);
  close.push(
    () => relay.close(),
    () => server.close(),
    () => client.destroy(),
  );
  await once(client, 'remoteSettings');
  return client;
}

function portOf(server: net.Server | http2.Http2Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it does not listen');
  return address.port;
}

async function ask(
  client: http2.ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders,
  body?: Buffer | string,
): Promise<string> {
  const stream = client.request(headers);
  stream.end(body);
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

describe.each([Infinity, 7, 1])('in pieces of %s', (pieces) => {
  test('requests and answers are shown, searched and told apart', async () => {
    const client = await connect(
      (stream, headers) => {
        if (headers[':path'] === '/gzip') {
          stream.respond({ ':status': 200, 'content-encoding': 'gzip', 'content-type': 'text/plain' });
          stream.end(gzipSync('unfolded words'));
          return;
        }
        stream.additionalHeaders({ ':status': 103, link: '</style.css>' });
        stream.respond({ ':status': 201, 'content-type': 'application/json', 'x-of': String(headers['x-number']) });
        stream.pipe(stream);
      },
      { pieces },
    );
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        ask(client, { ':method': 'POST', ':path': `/in?n=${at}`, 'x-number': `n${at}` }, `{"n":${at}}`),
      ),
    );
    expect(answers).toEqual(Array.from({ length: 20 }, (_, at) => `{"n":${at}}`));
    await ask(client, { ':path': '/gzip' });
    const { summaries, details } = watched;
    expect(summaries).toHaveLength(21);
    expect(summaries.slice(0, 2)).toMatchObject([
      { method: 'POST', path: '/in?n=0', status: 201, outcome: 'done', type: 'application/json' },
      { method: 'POST', path: '/in?n=1', status: 201, outcome: 'done' },
    ]);
    expect(details[3]).toMatchObject({
      request: { line: ['POST', '/in?n=3', 'HTTP/2'], body: { text: '{"n":3}' } },
      response: { line: ['HTTP/2', '201', ''], body: { text: '{"n":3}' } },
    });
    expect(details[3]?.request.fields).toContainEqual(['x-number', 'n3']);
    expect(details[3]?.request.fields[0]?.[0]).toBe('host');
    expect(details[3]?.response?.fields).toContainEqual(['x-of', 'n3']);
    expect(details[20]?.response?.body).toMatchObject({ text: 'unfolded words' });
    expect(await search(watched.recorder, { text: 'unfolded words' }, 10, 0)).toHaveLength(1);
    expect(await search(watched.recorder, { header: 'n17' }, 10, 0)).toHaveLength(1);
  });
});

test('tables of other sizes, and fields that turn them over', async () => {
  const client = await connect(
    (stream, headers) => stream.respond({ ':status': 200, echo: headers['x-large'] }, { endStream: true }),
    {
      client: { headerTableSize: 0 },
      server: { headerTableSize: 16_384 },
    },
  );
  for (let at = 0; at < 30; at += 1)
    await ask(client, { ':path': `/${at}`, 'x-large': `${at}-`.repeat(200), 'x-one': 'ü!~' });
  const { details } = watched;
  expect(details.map(({ request }) => request.fields.find(([name]) => name === 'x-large')?.[1])).toEqual(
    Array.from({ length: 30 }, (_, at) => `${at}-`.repeat(200)),
  );
  expect(details.at(-1)?.response?.fields).toContainEqual(['echo', '29-'.repeat(200)]);
});

test('a call of gRPC is shown by its messages and trailers', async () => {
  const message = (text: string): Buffer => {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(Buffer.byteLength(text), 1);
    return Buffer.concat([head, Buffer.from(text)]);
  };
  const client = await connect(
    (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '5', 'grpc-message': 'not found' }));
      stream.resume();
      stream.write(message('one'));
      stream.end(message('two, which is longer'));
    },
    { pieces: 3 },
  );
  await ask(
    client,
    { ':method': 'POST', ':path': '/pkg.Service/Call', 'content-type': 'application/grpc+proto', te: 'trailers' },
    message('ask'),
  );
  expect(watched.summaries).toMatchObject([
    { path: '/pkg.Service/Call', outcome: 'done', streams: 'messages', messages: 4 },
  ]);
  const shown = watched.messages.map(({ kind, fromVisitor, bytes, text }) => [kind, fromVisitor, bytes, text]);
  expect(shown).toContainEqual(['grpc', true, 3, 'ask']);
  expect(shown.filter(([, fromVisitor]) => fromVisitor !== true)).toEqual([
    ['grpc', false, 3, 'one'],
    ['grpc', false, 20, 'two, which is longer'],
    ['trailers', false, 39, 'grpc-status: 5\r\ngrpc-message: not found'],
  ]);
  expect(await search(watched.recorder, { text: 'not found' }, 10, 0)).toHaveLength(1);
});

test('events of an event stream are cut as they come', async () => {
  const client = await connect((stream) => {
    stream.respond({ ':status': 200, 'content-type': 'text/event-stream' });
    stream.end('data: a\n\ndata: b\n\n');
  });
  await ask(client, { ':path': '/events' });
  expect(watched.messages.map(({ kind, text }) => [kind, text])).toEqual([
    ['event', 'data: a\n'],
    ['event', 'data: b\n'],
  ]);
});

test('streams that are reset, and a connection that ends, leave their exchanges cut', async () => {
  const client = await connect((stream) => {
    stream.on('error', () => undefined);
    stream.respond({ ':status': 200 });
    stream.write('x');
  });
  const reset = client.request({ ':path': '/reset' });
  reset.on('error', () => undefined);
  await once(reset, 'response');
  reset.close(http2.constants.NGHTTP2_CANCEL);
  await expect.poll(() => watched.summaries[0]?.outcome).toBe('cut');
  const open = client.request({ ':path': '/open' });
  open.on('error', () => undefined);
  await once(open, 'response');
  client.destroy();
  await expect
    .poll(() => watched.summaries.map(({ path, outcome }) => [path, outcome]))
    .toEqual([
      ['/reset', 'cut'],
      ['/open', 'cut'],
    ]);
});

test('bytes that are no HTTP/2 end the reading of that connection, and nothing else', () => {
  const connection = watched.connection();
  connection.fromVisitor(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'));
  // HEADERS of stream 1: :method GET, :path /.
  connection.fromVisitor(Buffer.from([0, 0, 2, 1, 5, 0, 0, 0, 1, 0x82, 0x84]));
  connection.fromService(Buffer.from([0, 0, 1, 1, 5, 0, 0, 0, 1, 0xff]));
  connection.fromService(Buffer.alloc(1000, 0xff));
  connection.fromVisitor(Buffer.alloc(1000, 0xff));
  connection.over();
  expect(watched.summaries).toMatchObject([{ method: 'GET', path: '/', outcome: 'unreadable' }]);
});

test('a field cannot make itself a line of its own', () => {
  const connection = watched.connection();
  connection.fromVisitor(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'));
  const value = 'x\r\nevil: 1';
  const block = Buffer.concat([Buffer.from([0x82, 0x84, 0, 1, 0x61, value.length]), Buffer.from(value)]);
  connection.fromVisitor(Buffer.concat([Buffer.from([0, 0, block.length, 1, 5, 0, 0, 0, 1]), block]));
  expect(watched.details[0]?.request.fields).toEqual([['a', 'x  evil: 1']]);
});
