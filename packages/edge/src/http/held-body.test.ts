import { createHash } from 'node:crypto';
import { request as request1, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { connect, createServer as createHttp2Server } from 'node:http2';
import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import type { BodyProblem, CompiledPolicy, Outcome } from '@postern/policy';
import { describe, expect, test } from 'vitest';
import type { EdgeLimits } from '../context.ts';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { dial, get, harness, type Harness, sleep } from '../testing/http-harness.ts';
import { listening, nodeService } from '../testing/services.ts';

const POLICY = 'reads';

/** Reads each body up to `limit`, notes what came of it, and goes on. */
function reading(limit: number, seen: (Buffer | BodyProblem)[], waitMs = 0): CompiledPolicy {
  return {
    onTcpConnect: null,
    onEventStreamMessage: null,
    onHttpResponse: null,
    onHttpRequest: {
      name: 'on_http_request',
      start: ({ req }) => ({
        async next(): Promise<Outcome> {
          if (waitMs > 0) await pause(waitMs);
          const body = (await req?.readBody(limit)) ?? 'gone';
          seen.push(typeof body === 'string' ? body : Buffer.from(body));
          return { kind: 'continue' };
        },
        forwardFailed: () => ({ kind: 'continue' }),
      }),
    },
  };
}

interface Echo {
  readonly hash: string;
  readonly bytes: number;
  readonly trailer: string;
  readonly headers: IncomingHttpHeaders;
}

/** Answers with what it has got. */
async function echo(
  request: AsyncIterable<Buffer> & {
    readonly headers: IncomingHttpHeaders;
    readonly trailers: NodeJS.Dict<string | string[]>;
    readonly url?: string | undefined;
  },
  response: { end(text: string): unknown },
): Promise<void> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of request) {
    hash.update(chunk);
    bytes += chunk.length;
    if (request.url === '/slow') await pause(1);
  }
  const { headers, trailers } = request;
  response.end(JSON.stringify({ hash: hash.digest('hex'), bytes, trailer: trailers['x-end'] ?? '', headers }));
}

const hashOf = (body: Buffer): string => createHash('sha256').update(body).digest('hex');
const random = (bytes: number): Buffer =>
  Buffer.from(Array.from({ length: bytes }, (_, at) => (at * 31 + (at >> 8)) & 255));

interface Setup extends AsyncDisposable {
  readonly edge: Harness;
  readonly seen: (Buffer | BodyProblem)[];
}

async function setup(
  options: {
    http2?: boolean;
    service?: 1 | 2;
    limit?: number;
    room?: number;
    waitMs?: number;
    limits?: Partial<EdgeLimits>;
  } = {},
): Promise<Setup> {
  const seen: (Buffer | BodyProblem)[] = [];
  const two = options.service === 2;
  const listener: RequestListener = (request, response) => void echo(request, response).catch(() => {});
  const service = two
    ? await listening(createHttp2Server((request, response) => void echo(request, response).catch(() => {})))
    : await nodeService(listener);
  const edge = await harness({
    http2: options.http2 ?? false,
    agents: { s1: dial(service.port) },
    policies: { [POLICY]: reading(options.limit ?? 1 << 23, seen, options.waitMs) },
    bodyBytes: options.room ?? 1 << 26,
    limits: options.limits ?? {},
  });
  const protocol = two ? 'http2' : 'http1';
  edge.publish(
    endpoint('ep_1', 'http', 'app.test', { policy: POLICY, upstreams: [upstream('s1', 't1', { protocol })] }),
  );
  return {
    edge,
    seen,
    async [Symbol.asyncDispose]() {
      await edge[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
    },
  };
}

interface Sent {
  readonly path?: string;
  readonly length?: boolean;
  readonly trailer?: string;
}

function post1({ port }: Harness, body: Buffer, { path = '/', length = true, trailer }: Sent): Promise<Echo> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string> = { host: 'app.test' };
    if (length) headers['content-length'] = String(body.length);
    const request = request1({ port, host: '127.0.0.1', method: 'POST', path, headers }, (response) => {
      buffer(response).then((bytes) => resolve(JSON.parse(bytes.toString()) as Echo), reject);
    });
    request.on('error', reject);
    for (let at = 0; at < body.length; at += 50_000) request.write(body.subarray(at, at + 50_000));
    if (trailer !== undefined) request.addTrailers({ 'x-end': trailer });
    request.end();
  });
}

async function post2({ port }: Harness, body: Buffer, { path = '/', trailer }: Sent): Promise<Echo> {
  const session = connect(`http://127.0.0.1:${port}`);
  try {
    const stream = session.request(
      { ':method': 'POST', ':path': path, ':authority': 'app.test' },
      { waitForTrailers: trailer !== undefined },
    );
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-end': trailer ?? '' }));
    for (let at = 0; at < body.length; at += 50_000) stream.write(body.subarray(at, at + 50_000));
    stream.end();
    return JSON.parse((await buffer(stream)).toString()) as Echo;
  } finally {
    session.destroy();
  }
}

describe.each([
  [1, 1],
  [1, 2],
  [2, 1],
  [2, 2],
] as const)('over HTTP/%i, in front of a service over HTTP/%i, a body that a policy reads', (visitor, service) => {
  const post = visitor === 1 ? post1 : post2;

  test.each([
    ['of a byte', 1, '/'],
    ['of one chunk', 1_000, '/'],
    ['of many chunks', 700_000, '/'],
    ['for a slow service', 3_000_000, '/slow'],
  ])('%s is the one that the service gets', async (_, size, path) => {
    await using at = await setup({ http2: visitor === 2, service });
    const body = random(size);
    const answer = await post(at.edge, body, { path });
    expect(answer).toMatchObject({ bytes: size, hash: hashOf(body) });
    expect(at.seen.map((one) => (typeof one === 'string' ? one : hashOf(one)))).toEqual([hashOf(body)]);
  });

  test('keeps its trailers', async () => {
    await using at = await setup({ http2: visitor === 2, service });
    const body = random(100_000);
    expect(await post(at.edge, body, { length: false, trailer: 'yes' })).toMatchObject({
      bytes: 100_000,
      trailer: 'yes',
    });
  });

  test('beyond the limit goes on to the service all the same', async () => {
    await using at = await setup({ http2: visitor === 2, service, limit: 10_000 });
    const body = random(1_000_000);
    expect(await post(at.edge, body, {})).toMatchObject({ bytes: body.length, hash: hashOf(body) });
    expect(at.seen).toEqual(['too-large']);
  });

  test('that is empty, asked for late, or both', async () => {
    await using at = await setup({ http2: visitor === 2, service, waitMs: 50 });
    expect(await post(at.edge, Buffer.alloc(0), {})).toMatchObject({ bytes: 0 });
    expect(await post(at.edge, random(200_000), {})).toMatchObject({ bytes: 200_000 });
    expect(at.seen.map((one) => one.length)).toEqual([0, 200_000]);
  });

  test('for which there is no room', async () => {
    await using at = await setup({ http2: visitor === 2, service, room: 400_000 });
    expect(await post(at.edge, random(300_000), {})).toMatchObject({ bytes: 300_000 });
    expect(at.seen).toEqual(['no-room']);
    // What was taken for it has been given back.
    for (let count = 0; count < 3; count++) await post(at.edge, random(60_000), {});
    expect(at.seen.slice(1).map((one) => one.length)).toEqual([60_000, 60_000, 60_000]);
  });
});

test('who waits to be asked for the body is asked, once, and the service is not told of it', async () => {
  await using at = await setup();
  const head =
    'POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n';
  const socket = at.edge.connect();
  let got = '';
  socket.on('data', (chunk: Buffer) => (got += chunk.toString('latin1')));
  socket.write(head);
  await expect.poll(() => got).toBe('HTTP/1.1 100 Continue\r\n\r\n');
  socket.write('body');
  await expect.poll(() => got).toMatch(/"bytes":4/);
  expect(got).not.toMatch(/expect/);
  expect(got.split('100 Continue')).toHaveLength(2);
  socket.destroy();
});

test('a visitor who leaves within the body ends the wait for it', async () => {
  await using at = await setup({ room: 200_000 });
  for (let count = 0; count < 3; count++) {
    const socket = at.edge.connect();
    socket.write(`POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 40000\r\n\r\n${'x'.repeat(30_000)}`);
    await sleep(30);
    socket.destroy();
    await expect.poll(() => at.edge.events.length).toBe(count + 1);
    await expect.poll(() => at.seen).toHaveLength(count + 1);
  }
  expect(at.seen).toEqual(['gone', 'gone', 'gone']);
  expect(at.edge.events.map(({ reason }) => reason)).toEqual(['client-gone', 'client-gone', 'client-gone']);
});

test('a body that does not come in time, and rules that never end', async () => {
  await using at = await setup({ limits: { policyBodyMs: 60 } });
  const socket = at.edge.connect();
  socket.on('error', () => {});
  socket.write('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 9\r\n\r\nhalf');
  await expect.poll(() => at.seen).toEqual(['too-slow']);
  socket.destroy();
  await using slow = await setup({ limits: { policyMs: 60 }, waitMs: 500 });
  const answer = await slow.edge.talk(get('/', 'Connection: close\r\n'));
  expect(answer).toMatch(/^HTTP\/1.1 504 [^]*ERR_NGROK_90038/);
  await pause(600);
  expect(slow.edge.events.map(({ status }) => status)).toEqual([504]);
});

test('the next request on the connection follows', async () => {
  await using at = await setup();
  const post = `POST /a HTTP/1.1\r\nHost: app.test\r\nContent-Length: 4\r\n\r\nbody`;
  const answer = await at.edge.talk(post + get('/b', 'Connection: close\r\n'));
  expect(answer.match(/"bytes":\d/g)).toEqual(['"bytes":4', '"bytes":0']);
});

test('another try gets the body from its first byte', async () => {
  const seen: (Buffer | BodyProblem)[] = [];
  await using service = await nodeService((request, response) => void echo(request, response));
  let tries = 0;
  await using edge = await harness({
    agents: {
      // The first of both reads some of it and is gone.
      s1: (stream) => (tries++ === 0 ? { ...LEAVES, onData: () => stream.reset(1) } : dial(service.port)(stream)),
    },
    policies: { [POLICY]: reading(1 << 20, seen) },
  });
  edge.publish(endpoint('ep_1', 'http', 'app.test', { policy: POLICY, upstreams: [upstream('s1', 't1')] }));
  const body = random(200_000);
  const answer = await new Promise<Echo>((resolve, reject) => {
    const headers = { host: 'app.test', 'content-length': String(body.length) };
    const request = request1({ port: edge.port, host: '127.0.0.1', method: 'PUT', headers }, (response) => {
      buffer(response).then((bytes) => resolve(JSON.parse(bytes.toString()) as Echo), reject);
    });
    request.on('error', reject);
    request.end(body);
  });
  expect(answer).toMatchObject({ bytes: body.length, hash: hashOf(body) });
  expect(tries).toBe(2);
});

const LEAVES = { onData() {}, onEnd() {}, onReset() {}, onDrain() {} };
