/**
 * What an exchange may count on, whichever codec its service's side is: one suite, run over each of them, against real
 * services behind a mux session. The exchange is a plain recording of what it is told.
 */
import { createServer as createServer1, type IncomingMessage } from 'node:http';
import { createServer as createServer2, type Http2ServerRequest } from 'node:http2';
import type { Server, Socket } from 'node:net';
import type { MuxStream, RawFields, RequestHead } from '@postern/protocol';
import { afterEach, describe, expect, test } from 'vitest';
import { Guard } from '../../guard.ts';
import { upstream as upstreamOf } from '../../testing/fixtures.ts';
import { dial, type Harness, harness, sleep } from '../../testing/http-harness.ts';
import { listening, type Service } from '../../testing/services.ts';
import { Http1Upstream } from '../client/http1.ts';
import { KeptIndex } from '../client/kept.ts';
import { valueOf } from '../exchange/fields.ts';
import { RequestDraft, type ResponseDraft } from '../exchange/message.ts';
import type { Upstream, UpstreamFailure, UpstreamOwner } from '../exchange/ports.ts';
import { Requester } from '../exchange/requester.ts';

class Recorder implements UpstreamOwner {
  readonly request: RequestDraft;
  readonly upstreamName = 'test';
  readonly placeWait = null;
  requestEnded: boolean;
  upstream: Upstream | null = null;
  draft: ResponseDraft | null = null;
  readonly informationals: number[] = [];
  readonly parts: Buffer[] = [];
  trailer: RawFields | null = null;
  drains = 0;
  ends = 0;
  readonly failures: UpstreamFailure[] = [];
  takes = true;
  holds = false;

  constructor(change: Partial<RequestDraft>) {
    const head: RequestHead = {
      method: change.method ?? 'GET',
      target: change.target ?? '/',
      authority: 'app.test',
      minor: 1,
      fields: ['Host', 'app.test', ...(change.fields ?? [])],
      framing: change.framing ?? { kind: 'none' },
      keepAlive: true,
      upgrade: '',
      expectContinue: false,
    };
    this.request = new RequestDraft(head, 'HTTP/1.1', 'http');
    this.requestEnded = this.request.framing.kind === 'none';
  }

  /** Told, in whatever way, that it is over. */
  get over(): number {
    return this.ends + this.failures.length;
  }

  get got(): Buffer {
    return Buffer.concat(this.parts);
  }

  attach(upstream: Upstream): void {
    this.upstream = upstream;
  }

  upstreamDrained(): void {
    this.drains++;
  }

  informational(status: number): void {
    this.informationals.push(status);
  }

  responseHead(draft: ResponseDraft): void {
    expect(this.draft).toBeNull();
    this.draft = draft;
    if (this.holds) this.upstream?.hold();
  }

  responseBody(chunk: Buffer, start: number, end: number): boolean {
    expect(this.draft).not.toBeNull();
    this.parts.push(Buffer.from(chunk.subarray(start, end)));
    return this.takes;
  }

  responseTrailers(fields: RawFields): void {
    this.trailer = fields;
  }

  responseEnd(): void {
    this.ends++;
  }

  upstreamFailed(failure: UpstreamFailure): void {
    this.failures.push(failure);
  }

  switchProtocols(_reason: string, _fields: RawFields, stream: MuxStream): void {
    stream.reset(0);
  }
}

type AnyRequest = IncomingMessage | Http2ServerRequest;

/** What both kinds of answers have. */
interface AnyResponse {
  setHeader(name: string, value: string | number): unknown;
  writeHead(status: number): unknown;
  writeContinue(): unknown;
  addTrailers(trailers: Record<string, string>): unknown;
  write(chunk: string | Buffer): boolean;
  end(): unknown;
  end(text: string): unknown;
}

type Listener = (request: AnyRequest, response: AnyResponse) => void;

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one[Symbol.asyncDispose]();
});

interface Asking {
  readonly edge: Harness;
  readonly sockets: Set<Socket>;
  readonly ask: (change?: Partial<RequestDraft>, setup?: (owner: Recorder) => void) => Recorder;
}

async function setup(version: 'HTTP/1' | 'HTTP/2', listener: Listener): Promise<Asking> {
  const server: Server =
    version === 'HTTP/1' ? createServer1(listener) : createServer2((request, response) => listener(request, response));
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  const service: Service = await listening(server);
  const edge = await harness({ agents: { s1: dial(service.port) } });
  open.push(service, edge);
  const { context } = edge;
  const guard = new Guard(context.faults, context.wheel, 'a test', () => {});
  const conn = {
    clientIp: '192.0.2.7',
    clientPort: 1,
    serverIp: '127.0.0.1',
    serverPort: 1,
    serverRegion: 'local',
    startedAt: 0,
    bytesIn: 0,
    bytesOut: 0,
    tls: null,
  };
  const facts = { scheme: 'http', conn, clientAddr: '192.0.2.7:1', ruledBy: null, fromTrustedProxy: false } as const;
  const requester = new Requester(context, new KeptIndex(), facts, guard);
  open.push({ [Symbol.asyncDispose]: () => Promise.resolve(requester.close()) });
  const to = upstreamOf('s1', 't1', { protocol: version === 'HTTP/1' ? 'http1' : 'http2' });
  const claim = { network: '192.0.2.7', endpointId: 'ep_1', long: false };
  const purpose = { clientAddr: '192.0.2.7:1', proto: 'http', edgeType: '0', passthroughTls: false } as const;
  return {
    edge,
    sockets,
    ask(change = {}, before = () => {}) {
      const owner = new Recorder(change);
      before(owner);
      if (version === 'HTTP/2') {
        const link = requester.http2.find('ep_1', to) ?? requester.http2.open(context, to, claim, purpose, null);
        link.request(owner);
        return owner;
      }
      const client = new Http1Upstream(context, requester.kept, 'ep_1', to);
      const head = Buffer.from(client.begin(owner), 'latin1');
      client.opened(context.agents.open(to, claim, purpose, null, client, head));
      owner.attach(client);
      return owner;
    },
  };
}

const give = (owner: Recorder, bytes: Buffer): boolean => owner.upstream?.body(bytes, 0, bytes.length) ?? true;
const end = (owner: Recorder): void => {
  owner.requestEnded = true;
  owner.upstream?.end();
};

describe.each(['HTTP/1', 'HTTP/2'] as const)('an upstream over %s', (version) => {
  test('asks with method, target, fields, body and trailers', async () => {
    const got: Record<string, unknown> = {};
    const parts: Buffer[] = [];
    const { ask } = await setup(version, (request, response) => {
      request.on('end', () => {
        Object.assign(got, { method: request.method, target: request.url, one: request.headers['x-one'] });
        Object.assign(got, { body: Buffer.concat(parts), trailer: request.trailers['x-end'] });
        response.end('ok');
      });
      request.on('data', (part: Buffer) => parts.push(part));
    });
    const owner = ask({ method: 'PUT', target: '/a?b=c', fields: ['x-one', '1'], framing: { kind: 'chunked' } });
    give(owner, Buffer.from('hello '));
    give(owner, Buffer.from('world'));
    owner.upstream?.trailers(['x-end', 'yes']);
    end(owner);
    await expect.poll(() => owner.ends).toBe(1);
    expect(got).toEqual({
      method: 'PUT',
      target: '/a?b=c',
      one: '1',
      body: Buffer.from('hello world'),
      trailer: 'yes',
    });
  });

  test('tells head, body, trailers and end, each once and in order', async () => {
    const { ask } = await setup(version, (_, response) => {
      response.writeContinue();
      response.setHeader('x-one', '1');
      response.setHeader('trailer', 'x-end');
      response.writeHead(201);
      response.write('hello ');
      response.addTrailers({ 'x-end': 'yes' });
      response.end('world');
    });
    const owner = ask();
    await expect.poll(() => owner.over).toBe(1);
    expect(owner).toMatchObject({ ends: 1, informationals: [100], trailer: ['x-end', 'yes'] });
    expect(owner.draft?.status).toBe(201);
    expect(valueOf(owner.draft?.fields ?? [], 'x-one')).toBe('1');
    expect(owner.got.toString()).toBe('hello world');
  });

  test.each([
    ['a length', 'content-length', { kind: 'length', length: 5 }],
    ['none', 'x-other', { kind: 'chunked' }],
  ])('knows how its body ends by %s', async (_, name, framing) => {
    const { ask } = await setup(version, (_request, response) => {
      response.setHeader(name, 5);
      response.writeHead(200);
      response.write('hel');
      response.end('lo');
    });
    const owner = ask();
    await expect.poll(() => owner.ends).toBe(1);
    expect(owner.draft?.framing).toEqual(framing);
  });

  test('tells nothing behind the head while it is held', async () => {
    const { ask } = await setup(version, (_, response) => response.end('hello'));
    const owner = ask({}, (one) => (one.holds = true));
    await expect.poll(() => owner.draft?.status).toBe(200);
    await sleep(50);
    expect(owner).toMatchObject({ parts: [], over: 0 });
    owner.upstream?.release();
    await expect.poll(() => owner.ends).toBe(1);
    expect(owner.got.toString()).toBe('hello');
  });

  test('waits for whoever is full, and goes on', async () => {
    const most = 16 * 1_024 * 1_024;
    const { ask } = await setup(version, (_, response) => response.end(Buffer.alloc(most, 1).toString('latin1')));
    const owner = ask({}, (one) => (one.takes = false));
    await expect.poll(() => owner.parts.length).toBeGreaterThan(0);
    owner.upstream?.pause();
    await sleep(150);
    expect(owner.got.length).toBeLessThan(most / 2);
    owner.takes = true;
    owner.upstream?.resume();
    await expect.poll(() => owner.ends).toBe(1);
    expect(owner.got.length).toBe(most);
  });

  test('says when the service takes no more, and when it does again', async () => {
    const going = Promise.withResolvers<() => void>();
    let received = 0;
    const { ask } = await setup(version, (request, response) => {
      going.resolve(() => {
        request.on('data', (chunk: Buffer) => (received += chunk.length));
        request.on('end', () => response.end('ok'));
      });
    });
    const owner = ask({ method: 'POST', framing: { kind: 'chunked' } });
    const block = Buffer.alloc(65_536, 1);
    let given = 0;
    for (let takes = true; takes && given < 1 << 28; given += block.length) {
      takes = give(owner, Buffer.from(block));
      await new Promise(setImmediate);
    }
    expect(given).toBeLessThan(1 << 26);
    const go = await going.promise;
    const { drains } = owner;
    go();
    await expect.poll(() => owner.drains).toBeGreaterThan(drains);
    end(owner);
    await expect.poll(() => owner.ends).toBe(1);
    expect(received).toBe(given);
  });

  test('says nothing any more once it is cancelled, and the service is told', async () => {
    let left = 0;
    const { ask } = await setup(version, (request, response) => {
      request.on('close', () => left++);
      response.writeHead(200);
      response.write('half of');
    });
    const owner = ask();
    await expect.poll(() => owner.got.length).toBe(7);
    owner.upstream?.cancel();
    await expect.poll(() => left).toBe(1);
    await sleep(20);
    expect(owner.over).toBe(0);
  });

  test('fails once when the service leaves without an answer, and may be tried again', async () => {
    const { ask, sockets } = await setup(version, () => {
      for (const socket of sockets) socket.destroy();
    });
    const owner = ask();
    await expect.poll(() => owner.over).toBe(1);
    expect(owner.failures).toMatchObject([{ retry: 'idempotent' }]);
    expect(owner.draft).toBeNull();
  });

  test('fails once when the answer breaks off', async () => {
    const { ask, sockets } = await setup(version, (_, response) => {
      response.writeHead(200);
      response.write('half of');
    });
    const owner = ask();
    await expect.poll(() => owner.got.length).toBe(7);
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => owner.over).toBe(1);
    expect(owner.failures).toMatchObject([{ retry: 'none' }]);
  });

  test('fails once when the agent goes', async () => {
    const { ask, edge } = await setup(version, () => {});
    const owner = ask();
    await sleep(50);
    edge.agents.get('s1')?.lose();
    await expect.poll(() => owner.over).toBe(1);
    expect(owner.failures).toMatchObject([{ reason: 'agent-gone', error: { number: 3210 } }]);
  });

  test('has answers without a body', async () => {
    const { ask } = await setup(version, (_, response) => {
      response.writeHead(204);
      response.end();
    });
    const owner = ask();
    await expect.poll(() => owner.ends).toBe(1);
    expect(owner).toMatchObject({ draft: { status: 204, framing: { kind: 'none' } }, parts: [] });
  });
});
