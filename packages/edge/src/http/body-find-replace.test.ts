/** Bodies that rules replace parts of, between real visitors and services of both protocols. */
import { once } from 'node:events';
import { request as request1, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { connect, createServer as createHttp2Server, type Http2ServerRequest } from 'node:http2';
import { buffer } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { compilePolicy } from '@postern/policy';
import { afterEach, describe, expect, test } from 'vitest';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { dial, harness, type Harness } from '../testing/http-harness.ts';
import { listening, nodeService } from '../testing/services.ts';

type Headers = Record<string, string>;

interface Sent {
  readonly method?: string;
  readonly headers?: Headers;
  /** null = no body. */
  readonly body?: Buffer | null;
  readonly trailers?: Headers;
  /** Without a length. */
  readonly chunks?: boolean;
}

interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly trailers: Record<string, unknown>;
}

/** What the service got, and what it answers with. */
const service: { got: Got | null; answer: Sent & { readonly status?: number } } = { got: null, answer: {} };

type AnyRequest = IncomingMessage | Http2ServerRequest;
interface AnyResponse {
  setHeader(name: string, value: string): unknown;
  writeHead(status: number): unknown;
  addTrailers(headers: Headers): unknown;
  write(chunk: Buffer): boolean;
  end(): unknown;
}

async function serve(request: AnyRequest, response: AnyResponse): Promise<void> {
  const body = await buffer(request);
  service.got = { status: 0, headers: request.headers, body, trailers: { ...request.trailers } };
  const { status = 200, headers = {}, body: answer = Buffer.from('done'), trailers, chunks } = service.answer;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (trailers !== undefined) response.setHeader('trailer', Object.keys(trailers).join(', '));
  else if (chunks !== true && answer !== null) response.setHeader('content-length', String(answer.length));
  response.writeHead(status);
  if (answer !== null && request.method !== 'HEAD') response.write(answer);
  if (trailers !== undefined) response.addTrailers(trailers);
  response.end();
}

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one[Symbol.asyncDispose]();
});

type Action = { readonly type: string; readonly config?: object };
const replace = (phase: 'request' | 'response', ...pairs: [from: string, to: string][]): Action => ({
  type: `${phase}-body-find-replace`,
  config: { replacements: pairs.map(([from, to]) => ({ from, to })) },
});

interface Rules {
  readonly request?: readonly Action[];
  readonly response?: readonly Action[];
}

async function setup(visitor: 1 | 2, to: 1 | 2, rules: Rules, bodyBytes = 1 << 26): Promise<Harness> {
  const listener = (request: AnyRequest, response: AnyResponse): void => void serve(request, response).catch(() => {});
  const listener1 = to === 2 ? await listening(createHttp2Server(listener)) : await nodeService(listener);
  open.push(listener1);
  const phases = Object.entries({ on_http_request: rules.request, on_http_response: rules.response });
  const policy = Object.fromEntries(phases.flatMap(([phase, actions]) => (actions ? [[phase, [{ actions }]]] : [])));
  const edge = await harness({
    http2: visitor === 2,
    agents: { s1: dial(listener1.port) },
    policies: { does: compilePolicy(policy, { protocol: 'http', binding: 'public', kind: 'agent' }) },
    bodyBytes,
  });
  open.push(edge);
  const protocol = to === 2 ? 'http2' : 'http1';
  edge.publish(
    endpoint('ep_1', 'http', 'app.test', { policy: 'does', upstreams: [upstream('s1', 't1', { protocol })] }),
  );
  service.got = null;
  service.answer = {};
  return edge;
}

async function ask1({ port }: Harness, sent: Sent): Promise<Got> {
  const { body = null, method = body === null ? 'GET' : 'POST', headers = {}, trailers, chunks } = sent;
  const all: Headers = { host: 'app.test', ...headers };
  if (trailers !== undefined) all['trailer'] = Object.keys(trailers).join(', ');
  else if (body !== null && chunks !== true) all['content-length'] = String(body.length);
  const request = request1({ port, host: '127.0.0.1', method, headers: all, agent: false });
  if (body !== null) request.write(body);
  if (trailers !== undefined) request.addTrailers(trailers);
  request.end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const got = await buffer(response);
  return { status: response.statusCode ?? 0, headers: response.headers, body: got, trailers: { ...response.trailers } };
}

async function ask2({ port }: Harness, sent: Sent): Promise<Got> {
  const { body = null, method = body === null ? 'GET' : 'POST', headers = {}, trailers, chunks } = sent;
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  try {
    const length = body === null || chunks === true || trailers !== undefined ? {} : { 'content-length': body.length };
    const stream = session.request(
      { ':method': method, ':path': '/', ':authority': 'app.test', ...headers, ...length },
      { endStream: body === null, waitForTrailers: trailers !== undefined },
    );
    if (trailers !== undefined) stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    if (body !== null) stream.end(body);
    const end: { trailers: Record<string, unknown> } = { trailers: {} };
    stream.on('trailers', (fields) => (end.trailers = { ...fields }));
    const [answered] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status'?: number }];
    return { status: answered[':status'] ?? 0, headers: answered, body: await buffer(stream), ...end };
  } finally {
    session.destroy();
  }
}

const text = (length: number): Buffer => Buffer.from('a secret here\n'.repeat(Math.ceil(length / 14)).slice(0, length));
const hidden = (body: Buffer): string => body.toString().replaceAll('secret', '***');
const HIDE: [string, string] = ['secret', '***'];

describe.each([
  [1, 1],
  [1, 2],
  [2, 1],
  [2, 2],
] as const)('a visitor over HTTP/%i, a service over HTTP/%i', (visitor, to) => {
  const ask = visitor === 1 ? ask1 : ask2;

  test.each([20, 1_000_000])('the body of a request of %i bytes', async (length) => {
    const edge = await setup(visitor, to, { request: [replace('request', HIDE), replace('request', ['\\*+', 'x'])] });
    const body = text(length);
    expect((await ask(edge, { body, headers: { 'content-digest': 'x' } })).body.toString()).toBe('done');
    const expected = hidden(body).replaceAll('***', 'x');
    expect(service.got?.body.toString() === expected).toBe(true);
    expect(service.got?.headers['content-length']).toBe(String(expected.length));
    expect(service.got?.headers['content-digest']).toBeUndefined();
  });

  test('a request without a length keeps its trailers', async () => {
    const edge = await setup(visitor, to, { request: [replace('request', HIDE)] });
    await ask(edge, { body: text(50_000), trailers: { 'x-sum': '7' } });
    expect(service.got?.body.toString() === hidden(text(50_000))).toBe(true);
    expect(service.got?.headers['content-length']).toBeUndefined();
    expect(service.got?.trailers).toMatchObject({ 'x-sum': '7' });
  });

  test.each([20, 1_000_000])('the body of an answer of %i bytes', async (length) => {
    const edge = await setup(visitor, to, { response: [replace('response', HIDE)] });
    service.answer = { body: text(length), headers: { etag: '"1"' } };
    const answer = await ask(edge, {});
    expect(answer.body.toString() === hidden(text(length))).toBe(true);
    expect(answer.headers).toMatchObject({ 'content-length': String(answer.body.length), etag: 'W/"1"' });
  });

  test('an answer without a length keeps its trailers', async () => {
    const edge = await setup(visitor, to, { response: [replace('response', HIDE)] });
    service.answer = { body: text(50_000), trailers: { 'x-sum': '7' } };
    const answer = await ask(edge, {});
    expect(answer.body.toString() === hidden(text(50_000))).toBe(true);
    expect(answer.trailers).toMatchObject({ 'x-sum': '7' });
  });

  test.each(['before', 'behind'])('an answer is packed again by compress-response that stands %s', async (where) => {
    const find = replace('response', HIDE);
    const pack = { type: 'compress-response' };
    const edge = await setup(visitor, to, { response: where === 'before' ? [pack, find] : [find, pack] });
    service.answer = { body: text(100_000) };
    const answer = await ask(edge, { headers: { 'accept-encoding': 'gzip' } });
    expect(answer.headers).toMatchObject({ 'content-encoding': 'gzip' });
    expect(gunzipSync(answer.body).toString() === hidden(text(100_000))).toBe(true);
  });

  test('what comes packed is found in', async () => {
    const edge = await setup(visitor, to, {
      request: [replace('request', HIDE)],
      response: [replace('response', HIDE)],
    });
    const packed = { body: gzipSync(text(300_000)), headers: { 'content-encoding': 'gzip' } };
    service.answer = packed;
    const answer = await ask(edge, packed);
    expect(answer.body.toString() === hidden(text(300_000))).toBe(true);
    expect(answer.headers['content-encoding']).toBeUndefined();
    expect(service.got?.body.toString() === hidden(text(300_000))).toBe(true);
    expect(service.got?.headers).toMatchObject({ 'content-length': String(hidden(text(300_000)).length) });
    expect(service.got?.headers['content-encoding']).toBeUndefined();
  });

  test('a body of which nothing is left', async () => {
    const edge = await setup(visitor, to, {
      request: [replace('request', ['(?s).*', ''])],
      response: [replace('response', ['(?s).*', ''])],
    });
    const answer = await ask(edge, { body: text(10) });
    expect(service.got?.body.length).toBe(0);
    expect(answer).toMatchObject({ status: 200, headers: { 'content-length': '0' } });
  });

  test('an answer to HEAD, and one without a body, stay as they are', async () => {
    const edge = await setup(visitor, to, { response: [replace('response', HIDE)] });
    service.answer = { body: text(14) };
    expect(await ask(edge, { method: 'HEAD' })).toMatchObject({ status: 200, headers: { 'content-length': '14' } });
    service.answer = { status: 304, body: null, headers: { etag: '"1"' } };
    expect(await ask(edge, {})).toMatchObject({ status: 304, headers: { etag: '"1"' } });
  });

  test('what is larger than may be read', async () => {
    const edge = await setup(visitor, to, {
      request: [replace('request', HIDE)],
      response: [replace('response', HIDE)],
    });
    const large = Buffer.alloc(4 * 1024 * 1024 + 1, 'a');
    service.answer = { body: large };
    expect(await ask(edge, {})).toMatchObject({ status: 502, headers: { 'ngrok-error-code': 'ERR_NGROK_90080' } });
    service.got = null;
    if (visitor === 2)
      expect(await ask(edge, { body: large })).toMatchObject({
        status: 413,
        headers: { 'ngrok-error-code': 'ERR_NGROK_3902' },
      });
    expect(service.got).toBeNull();
  });
});

test('memory is given back when a body has gone, and when its visitor has left', async () => {
  // Room for one network: a quarter of it.
  const edge = await setup(
    1,
    1,
    { request: [replace('request', HIDE)], response: [replace('response', HIDE)] },
    4 * 3_000_000,
  );
  service.answer = { body: text(1_000_000) };
  for (let count = 0; count < 5; count++) expect((await ask1(edge, {})).status).toBe(200);
  // It waits for the rest, with a million bytes held.
  const gone = request1({ port: edge.port, host: '127.0.0.1', method: 'POST', headers: { host: 'app.test' } });
  gone.on('error', () => {});
  const network = '192.0.2.7';
  const free = (): boolean => {
    const owner = { network, endpointId: 'ep_1' };
    const taken = edge.context.bodies.take(owner, 2_500_000);
    if (taken) edge.context.bodies.give(owner, 2_500_000);
    return taken;
  };
  expect(free()).toBe(true);
  gone.write(text(1_000_000));
  await expect.poll(free).toBe(false);
  gone.destroy();
  await expect.poll(free).toBe(true);
  expect((await ask1(edge, {})).status).toBe(200);
});

test('while a body is searched that is hard to search, others are answered', async () => {
  const edge = await setup(1, 1, { request: [replace('request', ['a.*b|a', 'x'])] });
  const hard = ask1(edge, { body: Buffer.alloc(1_000_000, 'a') });
  const state = { over: false };
  void hard.then(() => (state.over = true));
  await expect.poll(() => edge.context.bodies.take({ network: 'other', endpointId: 'other' }, 1)).toBe(true);
  let answered = 0;
  while (!state.over) {
    expect((await ask1(edge, {})).status).toBe(200);
    answered++;
  }
  expect(answered).toBeGreaterThan(3);
  expect(await hard).toMatchObject({ status: 500, headers: { 'ngrok-error-code': 'ERR_NGROK_90034' } });
});

test('a visitor who leaves ends the search', async () => {
  const edge = await setup(1, 1, { response: [replace('response', ['a.*b|a', 'x'])] });
  service.answer = { body: Buffer.alloc(4_000_000, 'a') };
  const leaving = request1({ port: edge.port, host: '127.0.0.1', headers: { host: 'app.test' }, agent: false });
  leaving.on('error', () => {});
  leaving.end();
  await expect.poll(() => service.got).not.toBeNull();
  leaving.destroy();
  await expect.poll(() => edge.events.map(({ reason }) => reason)).toEqual(['client-gone']);
});
