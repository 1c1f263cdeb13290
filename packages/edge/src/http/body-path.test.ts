import { createHash } from 'node:crypto';
import { request as request1, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { connect, createServer as createHttp2Server, type Http2ServerRequest } from 'node:http2';
import { buffer } from 'node:stream/consumers';
import type { BodyFilter, BodyProblem, CompiledPolicy, ExchangeEnd, FilterMaker, PolicyContext } from '@postern/policy';
import { afterEach, describe, expect, test } from 'vitest';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { dial, harness, type Harness, sleep } from '../testing/http-harness.ts';
import { listening, nodeService } from '../testing/services.ts';

/** Each byte twice, a turn of the loop later, and never more than a piece at a time. */
const DOUBLED: FilterMaker = {
  keepsLength: false,
  make(output) {
    const waiting: Buffer[] = [];
    let blocked = false;
    let ended = false;
    let timer: NodeJS.Immediate | null = null;
    const work = (): void => {
      timer = null;
      if (blocked) return;
      const piece = waiting.shift();
      if (piece === undefined) {
        if (ended) output.end();
        else output.drained();
        return;
      }
      const twice = Buffer.alloc(piece.length * 2);
      for (let at = 0; at < piece.length; at++) twice.fill(piece[at] ?? 0, at * 2, at * 2 + 2);
      blocked = !output.body(twice, 0, twice.length);
      timer = setImmediate(work);
    };
    const filter: BodyFilter = {
      body(chunk, start, end) {
        waiting.push(Buffer.from(chunk.subarray(start, end)));
        timer ??= setImmediate(work);
        return false;
      },
      end() {
        ended = true;
        timer ??= setImmediate(work);
      },
      resume() {
        blocked = false;
        timer ??= setImmediate(work);
      },
      destroy() {
        if (timer !== null) clearImmediate(timer);
      },
    };
    return filter;
  },
};

/** Every bit turned, in the same call. */
const TURNED: FilterMaker = {
  keepsLength: true,
  make: (output) => ({
    body(chunk, start, end) {
      const turned = Buffer.from(chunk.subarray(start, end).map((byte) => byte ^ 255));
      return output.body(turned, 0, turned.length);
    },
    end: () => output.end(),
    resume: () => output.drained(),
    destroy() {},
  }),
};

const doubled = (body: Buffer): Buffer => Buffer.from([...body].flatMap((byte) => [byte, byte]));
const turned = (body: Buffer): Buffer => Buffer.from(body.map((byte) => byte ^ 255));
const hashOf = (body: Buffer): string => createHash('sha256').update(body).digest('hex');
const bytes = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, at) => (at * 31 + (at >> 8)) & 255));

interface Phases {
  readonly request?: (context: PolicyContext) => void | Promise<void>;
  readonly response?: (context: PolicyContext) => void | Promise<void>;
}

/** A policy of plain code: its phases do what they are told, and go on. */
function policyOf({ request, response }: Phases): CompiledPolicy {
  const phase = (
    name: 'on_http_request' | 'on_http_response',
    work: (context: PolicyContext) => void | Promise<void>,
  ): NonNullable<CompiledPolicy['onHttpRequest']> => ({
    name,
    start: (context) => ({
      next() {
        const done = work(context);
        return done === undefined ? { kind: 'continue' } : done.then(() => ({ kind: 'continue' }));
      },
      forwardFailed: () => ({ kind: 'continue' }),
    }),
  });
  return {
    onTcpConnect: null,
    onEventStreamMessage: null,
    onHttpRequest: request === undefined ? null : phase('on_http_request', request),
    onHttpResponse: response === undefined ? null : phase('on_http_response', response),
  };
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

type AnyRequest = IncomingMessage | Http2ServerRequest;
/** What both kinds of answers have. */
interface AnyResponse {
  setHeader(name: string, value: number): unknown;
  writeHead(status: number): unknown;
  write(chunk: Buffer): boolean;
  once(event: 'drain', listener: () => void): unknown;
  end(): unknown;
}

/** What a service got, and what it answers with. */
const services: { got: Buffer; headers: IncomingHttpHeaders; answer: Buffer; reply: 'length' | 'chunks' | 'break' } = {
  got: Buffer.alloc(0),
  headers: {},
  answer: Buffer.alloc(0),
  reply: 'length',
};

async function serve(request: AnyRequest, response: AnyResponse): Promise<void> {
  services.headers = request.headers;
  services.got = await buffer(request);
  const { answer, reply } = services;
  if (reply === 'length') response.setHeader('content-length', answer.length);
  response.writeHead(200);
  for (let at = 0; at < answer.length; at += 30_000) {
    if (!response.write(answer.subarray(at, at + 30_000)))
      await new Promise<void>((resolve) => response.once('drain', resolve));
  }
  if (reply === 'break') request.socket.destroy();
  else response.end();
}

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one[Symbol.asyncDispose]();
});

async function setup(visitor: 1 | 2, service: 1 | 2, phases: Phases, more: { room?: number } = {}): Promise<Harness> {
  const listener = (request: AnyRequest, response: AnyResponse): void => void serve(request, response).catch(() => {});
  const listener1 = service === 2 ? await listening(createHttp2Server(listener)) : await nodeService(listener);
  open.push(listener1);
  const edge = await harness({
    http2: visitor === 2,
    agents: { s1: dial(listener1.port) },
    policies: { does: policyOf(phases) },
    bodyBytes: more.room ?? 1 << 26,
  });
  open.push(edge);
  const protocol = service === 2 ? 'http2' : 'http1';
  edge.publish(
    endpoint('ep_1', 'http', 'app.test', { policy: 'does', upstreams: [upstream('s1', 't1', { protocol })] }),
  );
  return edge;
}

function ask1({ port }: Harness, body: Buffer | null): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string> = { host: 'app.test' };
    if (body !== null) headers['content-length'] = String(body.length);
    const request = request1(
      { port, host: '127.0.0.1', method: body === null ? 'GET' : 'POST', headers, agent: false },
      (response) => {
        const { statusCode = 0, headers: got } = response;
        buffer(response).then((all) => resolve({ status: statusCode, headers: got, body: all }), reject);
      },
    );
    request.on('error', reject);
    request.end(body ?? undefined);
  });
}

async function ask2({ port }: Harness, body: Buffer | null): Promise<Answer> {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  try {
    const stream = session.request(
      {
        ':method': body === null ? 'GET' : 'POST',
        ':path': '/',
        ':authority': 'app.test',
        ...(body === null ? {} : { 'content-length': body.length }),
      },
      { endStream: body === null },
    );
    if (body !== null) stream.end(body);
    const headers = await new Promise<IncomingHttpHeaders & { ':status'?: number }>((resolve, reject) => {
      stream.on('response', resolve);
      stream.on('error', reject);
    });
    return { status: headers[':status'] ?? 0, headers, body: await buffer(stream) };
  } finally {
    session.destroy();
  }
}

describe.each([
  [1, 1],
  [1, 2],
  [2, 1],
  [2, 2],
] as const)('a visitor over HTTP/%i, a service over HTTP/%i', (visitor, service) => {
  const ask = visitor === 1 ? ask1 : ask2;

  test.each([1, 1_000, 400_000])('a request body of %i bytes passes filters in order', async (length) => {
    const edge = await setup(visitor, service, {
      request({ req }) {
        req?.filterBody(DOUBLED);
        req?.filterBody(TURNED);
      },
    });
    const body = bytes(length);
    services.answer = Buffer.from('done');
    services.reply = 'length';
    expect((await ask(edge, body)).body.toString()).toBe('done');
    expect(hashOf(services.got)).toBe(hashOf(turned(doubled(body))));
    expect(services.headers['content-length']).toBeUndefined();
  });

  test('a filter that keeps the length keeps its announcement', async () => {
    const edge = await setup(visitor, service, {
      request: ({ req }) => req?.filterBody(TURNED),
      response: ({ res }) => res?.filterBody(TURNED),
    });
    services.answer = bytes(5_000);
    services.reply = 'length';
    const answer = await ask(edge, bytes(3_000));
    expect(services.headers['content-length']).toBe('3000');
    expect(services.got.equals(turned(bytes(3_000)))).toBe(true);
    expect(answer.headers['content-length']).toBe('5000');
    expect(answer.body.equals(turned(bytes(5_000)))).toBe(true);
  });

  test('a body that a rule has read passes filters, too', async () => {
    const seen: (Buffer | BodyProblem)[] = [];
    const edge = await setup(visitor, service, {
      async request({ req }) {
        seen.push((await req?.readBody(1 << 20)) ?? 'gone');
        req?.filterBody(DOUBLED);
      },
    });
    services.reply = 'length';
    const body = bytes(200_000);
    await ask(edge, body);
    expect(seen.map((one) => (typeof one === 'string' ? one : hashOf(one)))).toEqual([hashOf(body)]);
    expect(hashOf(services.got)).toBe(hashOf(doubled(body)));
  });

  test.each(['length', 'chunks'] as const)('an answer (%s) passes filters in order', async (reply) => {
    const edge = await setup(visitor, service, {
      response({ res }) {
        res?.filterBody(TURNED);
        res?.filterBody(DOUBLED);
      },
    });
    services.answer = bytes(400_000);
    services.reply = reply;
    const answer = await ask(edge, null);
    expect(hashOf(answer.body)).toBe(hashOf(doubled(turned(services.answer))));
    expect(answer.headers['content-length']).toBeUndefined();
  });

  test.each([
    ['of a few bytes', 'length', 10, 1 << 20],
    ['in chunks', 'chunks', 300_000, 1 << 20],
    ['larger than what may be read', 'length', 3_000_000, 100_000],
    ['for which there is no room', 'chunks', 3_000_000, 1 << 23],
  ] as const)('an answer %s is read by a rule, and the visitor gets all of it', async (_, reply, length, limit) => {
    const seen: (Buffer | BodyProblem)[] = [];
    const edge = await setup(
      visitor,
      service,
      {
        async response({ res }) {
          await sleep(5);
          seen.push((await res?.readBody(limit)) ?? 'gone');
          seen.push((await res?.readBody(limit)) ?? 'gone');
          res?.filterBody(DOUBLED);
        },
      },
      { room: 1 << 22 },
    );
    services.answer = bytes(length);
    services.reply = reply;
    const answer = await ask(edge, null);
    expect(hashOf(answer.body)).toBe(hashOf(doubled(services.answer)));
    const problem = length > limit ? 'too-large' : length > 1 << 20 ? 'no-room' : hashOf(services.answer);
    expect(seen.map((one) => (typeof one === 'string' ? one : hashOf(one)))).toEqual([problem, problem]);
  });

  test('an answer that breaks off while a rule reads it is none', async () => {
    const seen: (Buffer | BodyProblem)[] = [];
    const edge = await setup(visitor, service, {
      response: async ({ res }) => void seen.push((await res?.readBody(1 << 20)) ?? 'gone'),
    });
    services.answer = bytes(100_000);
    services.reply = 'break';
    expect(await ask(edge, null)).toMatchObject({ status: 502 });
    expect(seen).toEqual(['gone']);
  });

  test('what policies put on the answer is on it, and they are told how it ended', async () => {
    const ends: ExchangeEnd[] = [];
    const edge = await setup(visitor, service, {
      request({ req }) {
        req?.answerHeader('Set-Cookie', 'a=1');
        req?.answerHeader('Set-Cookie', 'b=2');
        req?.onEnd((end) => ends.push(end));
      },
    });
    services.answer = Buffer.from('hello');
    services.reply = 'length';
    expect((await ask(edge, Buffer.from('abc'))).headers['set-cookie']).toEqual(['a=1', 'b=2']);
    const agent = edge.agents.get('s1');
    if (agent !== undefined) agent.online = false;
    const away = await ask(edge, null);
    expect(away.headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(ends).toMatchObject([
      { status: 200, errorCode: '', reason: 'complete', bytesIn: 3, bytesOut: 5 },
      { status: away.status, errorCode: 'ERR_NGROK_3210', reason: 'complete' },
    ]);
  });
});

test('what policies put on an answer is part of the head that HTTP/2 has to carry', async () => {
  const edge = await setup(2, 1, {
    request({ req }) {
      for (let count = 0; count < 40; count++) req?.answerHeader('x-large', 'a'.repeat(4_000));
    },
  });
  services.answer = Buffer.from('hello');
  services.reply = 'length';
  const answer = await ask2(edge, null);
  expect(answer).toMatchObject({ status: 502, headers: { 'ngrok-error-code': 'ERR_NGROK_3004' } });
});

test('a visitor who leaves ends what filters have under way', async () => {
  let destroyed = 0;
  const ends: ExchangeEnd[] = [];
  const held: FilterMaker = {
    keepsLength: false,
    make: () => ({ body: () => false, end() {}, resume() {}, destroy: () => void destroyed++ }),
  };
  const edge = await setup(1, 1, {
    request: ({ req }) => req?.onEnd((end) => ends.push(end)),
    response: ({ res }) => res?.filterBody(held),
  });
  services.answer = bytes(100_000);
  services.reply = 'length';
  const session = request1({ port: edge.port, host: '127.0.0.1', headers: { host: 'app.test' }, agent: false });
  session.on('error', () => {});
  session.on('response', () => session.destroy());
  session.end();
  await expect.poll(() => ends.length).toBe(1);
  expect(ends[0]).toMatchObject({ status: 200, reason: 'client-gone' });
  expect(destroyed).toBe(1);
});

test('a filter that cannot go on cuts the answer', async () => {
  const broken: FilterMaker = {
    keepsLength: true,
    make: (output) => ({ body: () => (output.failed(new Error('no')), true), end() {}, resume() {}, destroy() {} }),
  };
  const edge = await setup(1, 1, { response: ({ res }) => res?.filterBody(broken) });
  services.answer = bytes(100_000);
  services.reply = 'length';
  await expect(ask1(edge, null)).rejects.toThrow('aborted');
});
