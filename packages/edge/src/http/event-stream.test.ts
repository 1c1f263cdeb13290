/** Event streams whose messages rules change, between real visitors and services of both protocols. */
import { once } from 'node:events';
import { request as request1, type IncomingMessage } from 'node:http';
import { connect, createServer as createHttp2Server } from 'node:http2';
import type { Readable } from 'node:stream';
import { createGunzip, createGzip, type Gzip } from 'node:zlib';
import { compilePolicy, type CompiledPolicy } from '@postern/policy';
import { afterEach, describe, expect, test } from 'vitest';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { dial, harness, sleep, type Harness } from '../testing/http-harness.ts';
import { listening, nodeService } from '../testing/services.ts';

interface Stream {
  setHeader(name: string, value: string): unknown;
  writeHead(status: number): unknown;
  write(chunk: string | Buffer): boolean;
  end(): unknown;
  on(event: 'drain', listener: () => void): unknown;
  flushHeaders?(): void;
}

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

type Rules = Record<string, readonly object[]>;
const find = (from: string, to: string, more: object = {}): object => ({
  type: 'sse-find-replace',
  config: { replacements: [{ from, to, ...more }] },
});
const messages = (...actions: object[]): Rules => ({ on_event_stream_message: [{ actions }] });
const compiled = (rules: Rules): CompiledPolicy =>
  compilePolicy(rules, { protocol: 'http', binding: 'public', kind: 'agent' });

/** A service that keeps each of its answers open. */
async function setup(
  visitor: 1 | 2,
  to: 1 | 2,
  policies: Record<string, Rules>,
  headers: Record<string, string> = {},
  bodyBytes = 1 << 26,
): Promise<{ edge: Harness; streams: Stream[] }> {
  const streams: Stream[] = [];
  const listener = (_request: unknown, response: Stream): void => {
    response.setHeader('content-type', 'text/event-stream; charset=utf-8');
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.writeHead(200);
    response.flushHeaders?.();
    streams.push(response);
  };
  const service = to === 2 ? await listening(createHttp2Server(listener)) : await nodeService(listener);
  open.push(() => service[Symbol.asyncDispose]());
  const edge = await harness({
    http2: visitor === 2,
    agents: { s1: dial(service.port) },
    policies: Object.fromEntries(Object.entries(policies).map(([name, rules]) => [name, compiled(rules)])),
    bodyBytes,
  });
  open.push(() => edge[Symbol.asyncDispose]());
  const upstreams = [upstream('s1', 't1', { protocol: to === 2 ? 'http2' : 'http1' })];
  edge.publish(
    endpoint('ep_1', 'http', 'app.test', { policy: 'outer', upstreams }),
    endpoint('ep_2', 'http', 'inner.internal', {
      policy: policies['inner'] === undefined ? '' : 'inner',
      binding: 'internal',
      upstreams,
    }),
  );
  return { edge, streams };
}

interface Listening {
  readonly headers: Record<string, unknown>;
  /** What has come since it was asked last, once there is `text` in it. */
  until(text: string): Promise<string>;
  /** All that comes until the end. */
  rest(): Promise<string>;
  readonly body: Readable;
  leave(): void;
}

async function listen({ port }: Harness, visitor: 1 | 2, headers: Record<string, string> = {}): Promise<Listening> {
  if (visitor === 1) {
    const request = request1({ port, host: '127.0.0.1', headers: { host: 'app.test', ...headers }, agent: false });
    open.push(() => request.destroy());
    request.on('error', () => {});
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return { ...heard(response, response.headers), leave: () => void response.socket.resetAndDestroy() };
  }
  const session = connect(`http://127.0.0.1:${port}`);
  open.push(() => session.destroy());
  session.on('error', () => {});
  const stream = session.request({ ':path': '/', ':authority': 'app.test', ...headers });
  const [got] = (await once(stream, 'response')) as [Record<string, unknown>];
  return { ...heard(stream, got), leave: () => session.destroy() };
}

function heard(body: Readable, headers: Record<string, unknown>): Omit<Listening, 'leave'> {
  const state = { text: '', over: false };
  body.on('data', (chunk: Buffer) => (state.text += chunk.toString()));
  body.on('close', () => (state.over = true));
  body.on('error', () => {});
  const take = (): string => {
    const { text } = state;
    state.text = '';
    return text;
  };
  return {
    headers,
    body,
    async until(text) {
      await expect.poll(() => state.text).toContain(text);
      return take();
    },
    async rest() {
      await expect.poll(() => state.over).toBe(true);
      return take();
    },
  };
}

async function streamOf(streams: readonly Stream[]): Promise<Stream> {
  await expect.poll(() => streams.length).toBeGreaterThan(0);
  const last = streams.at(-1);
  if (last === undefined) throw new Error('nobody has asked');
  return last;
}

const HIDE = find('secret', '***');

describe.each([
  [1, 1],
  [1, 2],
  [2, 1],
  [2, 2],
] as const)('a visitor over HTTP/%i, a service over HTTP/%i', (visitor, to) => {
  test('each message is changed, and leaves when it is complete', async () => {
    const { edge, streams } = await setup(visitor, to, {
      outer: messages(HIDE, find('\\d+', '5000', { field: 'retry' })),
    });
    const visit = await listen(edge, visitor);
    expect(visit.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    const stream = await streamOf(streams);
    stream.write('retry: 10\ndata: a secret\n\n');
    expect(await visit.until('\n\n')).toBe('retry: 5000\ndata: a ***\n\n');
    stream.write(': alive\n');
    expect(await visit.until('\n')).toBe(': alive\n');
    stream.write('event: x\nid: 7\ndata: one sec');
    stream.write('ret\ndata: more\n');
    stream.write('\ndata: next');
    expect(await visit.until('\n\n')).toBe('event: x\nid: 7\ndata: one ***\ndata: more\n\n');
    stream.write('\r\n\r\n');
    expect(await visit.until('\r\n\r\n')).toBe('data: next\r\n\r\n');
    stream.write('data: the last secret');
    stream.end();
    expect(await visit.rest()).toBe('data: the last ***\n');
  });

  test('many messages in few pieces', async () => {
    const { edge, streams } = await setup(visitor, to, { outer: messages(HIDE, find('(\\w+) end', '$1')) });
    const visit = await listen(edge, visitor);
    const stream = await streamOf(streams);
    const message = (word: string): string => `id: 1\ndata: a ${word} end\n\n`;
    stream.write(message('secret').repeat(20_000));
    stream.end();
    expect((await visit.rest()) === message('***').repeat(20_000)).toBe(true);
  });

  test('a stream that comes packed is read', async () => {
    const { edge, streams } = await setup(visitor, to, { outer: messages(HIDE) }, { 'content-encoding': 'gzip' });
    const visit = await listen(edge, visitor, { 'accept-encoding': 'gzip' });
    expect(visit.headers['content-encoding']).toBeUndefined();
    const stream = await streamOf(streams);
    const gzip: Gzip = createGzip();
    gzip.on('data', (chunk: Buffer) => stream.write(chunk));
    gzip.on('end', () => stream.end());
    gzip.write('data: a secret\n\n');
    gzip.flush();
    expect(await visit.until('\n\n')).toBe('data: a ***\n\n');
    gzip.end('data: secret\n\n');
    expect(await visit.rest()).toBe('data: ***\n\n');
  });

  test('a message that is larger than it may be cuts the stream', async () => {
    const { edge, streams } = await setup(visitor, to, { outer: messages(HIDE) });
    const visit = await listen(edge, visitor);
    const stream = await streamOf(streams);
    stream.write('data: first\n\n');
    await visit.until('first');
    stream.write(`data: ${'a'.repeat(2_000_000)}\n\n`);
    expect(await visit.rest()).toBe('');
    await expect.poll(() => edge.events.map(({ reason }) => reason)).toEqual(['internal']);
  });
});

test('rules of the endpoint that it was forwarded to come first', async () => {
  const forward = { type: 'forward-internal', config: { url: 'http://inner.internal' } };
  const { edge, streams } = await setup(1, 1, {
    outer: { on_http_request: [{ actions: [forward] }], ...messages(find('inner', 'outer')) },
    inner: messages(find('secret', 'inner')),
  });
  const visit = await listen(edge, 1);
  (await streamOf(streams)).write('data: secret\n\n');
  expect(await visit.until('\n\n')).toBe('data: outer\n\n');
});

test('response rules decide what an event stream is, and compress-response leaves it alone', async () => {
  const type = { type: 'remove-headers', config: { headers: ['content-type'] } };
  const plain = { type: 'add-headers', config: { headers: { 'content-type': 'text/plain' } } };
  const pack = { type: 'compress-response' };
  const streaming = await setup(1, 1, { outer: { ...messages(HIDE), on_http_response: [{ actions: [pack] }] } });
  const visit = await listen(streaming.edge, 1, { 'accept-encoding': 'gzip' });
  expect(visit.headers['content-encoding']).toBeUndefined();
  (await streamOf(streaming.streams)).write('data: secret\n\n');
  expect(await visit.until('\n\n')).toBe('data: ***\n\n');

  const other = await setup(1, 1, {
    outer: { ...messages(HIDE), on_http_response: [{ actions: [type, plain, pack] }] },
  });
  const packed = await listen(other.edge, 1, { 'accept-encoding': 'gzip' });
  expect(packed.headers).toMatchObject({ 'content-encoding': 'gzip', 'content-type': 'text/plain' });
  const stream = await streamOf(other.streams);
  const unpacked = heard(packed.body.pipe(createGunzip()), {});
  stream.write('data: secret\n\n');
  stream.end();
  expect(await unpacked.until('\n\n')).toBe('data: secret\n\n');
});

test('what is encoded in an unknown way is not let through', async () => {
  const { edge } = await setup(1, 1, { outer: messages(HIDE) }, { 'content-encoding': 'compress' });
  const visit = await listen(edge, 1);
  expect(visit.headers['ngrok-error-code']).toBe('ERR_NGROK_3904');
});

test('a visitor who reads nothing stops the service', async () => {
  const { edge, streams } = await setup(1, 1, { outer: messages(HIDE) });
  const visit = await listen(edge, 1);
  visit.body.pause();
  const stream = await streamOf(streams);
  const message = `data: ${'secret '.repeat(1_000)}\n\n`;
  let written = 0;
  const push = (): void => {
    while (written < 20_000 && stream.write(message)) written++;
  };
  stream.on('drain', push);
  push();
  let before = -1;
  while (before !== written) {
    before = written;
    await sleep(500);
  }
  expect(written).toBeLessThan(20_000);
  visit.body.resume();
  await visit.until('***');
});

test('a visitor who leaves ends it, and memory of what was under way is given back', async () => {
  const { edge, streams } = await setup(1, 1, { outer: messages(HIDE) }, {}, 4 * 3_000_000);
  const owner = { network: '192.0.2.7', endpointId: 'ep_1' };
  const free = (): boolean => {
    const taken = edge.context.bodies.take(owner, 2_500_000);
    if (taken) edge.context.bodies.give(owner, 2_500_000);
    return taken;
  };
  const visit = await listen(edge, 1);
  (await streamOf(streams)).write(`data: ${'a'.repeat(500_000)}`);
  await expect.poll(free).toBe(false);
  visit.leave();
  await expect.poll(free).toBe(true);
  await expect.poll(() => edge.events.map(({ reason }) => reason)).toEqual(['client-gone']);
});

test('while messages take long, others are answered', async () => {
  const { edge, streams } = await setup(1, 1, { outer: messages(find('a.*b|a', 'x')) });
  const visit = await listen(edge, 1);
  const stream = await streamOf(streams);
  const state = { over: false };
  for (let count = 0; count < 20; count++) stream.write(`data: ${'a'.repeat(1_500)}\n\n`);
  stream.end();
  const all = visit.rest().finally(() => (state.over = true));
  let answered = 0;
  while (!state.over) {
    const other = await listen(edge, 1);
    expect(other.headers['content-type']).toContain('text/event-stream');
    other.body.destroy();
    answered++;
  }
  expect(answered).toBeGreaterThan(3);
  expect((await all) === `data: ${'x'.repeat(1_500)}\n\n`.repeat(20)).toBe(true);
});
