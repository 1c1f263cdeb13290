/**
 * What an exchange may count on, whichever codec its visitor's side is: one suite, run over each of them. The service's
 * side is a plain recording of what it is given.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { RawFields } from '@postern/protocol';
import { afterEach, describe, expect, test } from 'vitest';
import { type Harness, harness, sleep, visitorOf } from '../../testing/http-harness.ts';
import type { Exchange, VisitorStages } from '../exchange/exchange.ts';
import { type AnswerHead, ResponseDraft } from '../exchange/message.ts';
import type { Upstream } from '../exchange/ports.ts';
import { Http1Connection } from '../server/http1-connection.ts';
import { Http2Connection } from '../server/http2-connection.ts';
import { HttpConnections } from '../server/open-connections.ts';
import { deliver } from '../stages/deliver.ts';
import { VISITORS } from './visitors.ts';

class Recorder implements Upstream {
  readonly mayTrail = true;
  readonly parts: Buffer[] = [];
  trailer: RawFields | null = null;
  ends = 0;
  cancels = 0;
  pauses = 0;
  resumes = 0;
  takes = true;

  get got(): Buffer {
    return Buffer.concat(this.parts);
  }

  body(chunk: Buffer, start: number, end: number): boolean {
    this.parts.push(Buffer.from(chunk.subarray(start, end)));
    return this.takes;
  }

  trailers(fields: RawFields): void {
    this.trailer = fields;
  }

  end(): void {
    this.ends++;
  }

  cancel(): void {
    this.cancels++;
  }

  pause(): void {
    this.pauses++;
  }

  resume(): void {
    this.resumes++;
  }

  visitorFinished(): void {}
  hold(): void {}
  release(): void {}
}

interface Arrived {
  readonly port: number;
  /** The next request that arrives. */
  readonly next: () => Promise<Exchange>;
  /** How exchanges ended. */
  readonly ends: string[];
}

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

async function setup(version: 'HTTP/1' | 'HTTP/2'): Promise<Arrived> {
  const edge: Harness = await harness();
  const group = new HttpConnections();
  const ends: string[] = [];
  const arrived: Exchange[] = [];
  const stages: VisitorStages = {
    begin: (exchange) => void arrived.push(exchange),
    answered: deliver,
    answerError: (exchange) => exchange.downstream.abort(),
    failed: (exchange) => exchange.downstream.abort(),
    unfilterable: (exchange) => exchange.downstream.abort(),
    finished: (_, reason) => void ends.push(reason),
  };
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    const connection = visitorOf(socket, {});
    const codec =
      version === 'HTTP/1'
        ? new Http1Connection(edge.context, group, stages, connection)
        : new Http2Connection(edge.context, group, stages, connection);
    group.add(codec);
    if (codec instanceof Http1Connection) codec.start(null);
    else codec.start();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  open.push(async () => {
    group.destroy();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
    await edge.close();
  });
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    ends,
    async next() {
      await expect.poll(() => arrived.length, { interval: 2 }).toBeGreaterThan(0);
      const exchange = arrived.shift();
      if (exchange === undefined) throw new Error('nothing has arrived');
      return exchange;
    },
  };
}

const head = (status: number, fields: RawFields = [], length = -1): AnswerHead => ({
  status,
  reason: '',
  fields: length >= 0 ? [...fields, 'content-length', String(length)] : fields,
  framing: length >= 0 ? { kind: 'length', length } : { kind: 'chunked' },
});

const answer = (exchange: Exchange, ...parts: Parameters<typeof head>): void =>
  exchange.responseHead(new ResponseDraft(head(...parts), false));

const give = (exchange: Exchange, text: string): boolean => {
  const bytes = Buffer.from(text);
  return exchange.responseBody(bytes, 0, bytes.length);
};

describe.each(['HTTP/1', 'HTTP/2'] as const)('a downstream over %s', (version) => {
  const ask = VISITORS[version];

  test('holds a body until there is a service, and gives it whole, in order, ended once', async () => {
    const { port, next } = await setup(version);
    const visitor = ask(port, { method: 'POST', body: true });
    const bytes = Buffer.from(Array.from({ length: 150_000 }, (_, at) => (at * 7) & 255));
    visitor.sent.write(bytes.subarray(0, 50_000));
    const exchange = await next();
    const service = new Recorder();
    await sleep(20);
    expect(exchange.bytesIn).toBe(0);
    exchange.attach(service);
    await expect.poll(() => service.got.length).toBe(50_000);
    expect(service.ends).toBe(0);
    visitor.sent.end(bytes.subarray(50_000));
    await expect.poll(() => service.ends).toBe(1);
    expect(service.got.equals(bytes)).toBe(true);
    expect(exchange.bytesIn).toBe(150_000);
    answer(exchange, 200, [], 0);
    exchange.responseEnd();
    await visitor.answer();
    expect(service.ends).toBe(1);
  });

  test('stops the visitor while the service takes nothing', async () => {
    const { port, next } = await setup(version);
    const visitor = ask(port, { method: 'POST', body: true });
    visitor.sent.on('error', () => {});
    for (let block = 0; block < 64; block++) visitor.sent.write(Buffer.alloc(65_536, block));
    visitor.sent.end();
    const exchange = await next();
    const service = new Recorder();
    service.takes = false;
    exchange.attach(service);
    await sleep(100);
    // What was on its way when it was told to stop.
    expect(service.got.length).toBeLessThan(2 * 65_536);
    service.takes = true;
    exchange.upstreamDrained();
    await expect.poll(() => service.ends).toBe(1);
    expect(service.got.length).toBe(64 * 65_536);
  });

  test('gives head, body and trailers, and 1xx before them', async () => {
    const { port, next, ends } = await setup(version);
    const visitor = ask(port, { fields: { te: 'trailers' } });
    const exchange = await next();
    exchange.attach(new Recorder());
    exchange.informational(103, 'Early Hints', ['link', '</a.css>']);
    answer(exchange, 201, ['x-one', '1', 'trailer', 'x-end']);
    give(exchange, 'hello ');
    give(exchange, 'world');
    exchange.responseTrailers(['x-end', 'yes']);
    exchange.responseEnd();
    expect(await visitor.answer()).toMatchObject({
      status: 201,
      informational: [103],
      fields: { 'x-one': '1' },
      body: Buffer.from('hello world'),
      trailers: { 'x-end': 'yes' },
    });
    expect(ends).toEqual(['complete']);
    expect(exchange.bytesOut).toBe(11);
  });

  test('is not given 1xx without end, which nothing holds back', async () => {
    const { port, next } = await setup(version);
    const visitor = ask(port);
    const exchange = await next();
    exchange.attach(new Recorder());
    for (let time = 0; time < 2_000; time++) exchange.informational(103, 'Early Hints', ['link', 'x'.repeat(800)]);
    answer(exchange, 200, [], 2);
    give(exchange, 'ok');
    exchange.responseEnd();
    const { informational, body } = await visitor.answer();
    expect(informational.length).toBeGreaterThan(100);
    expect(informational.length * 800).toBeLessThan(262_144);
    expect(body.toString()).toBe('ok');
  });

  test('names of trailers may be those of what every object has', async () => {
    const { port, next } = await setup(version);
    const visitor = ask(port, { fields: { te: 'trailers' } });
    const exchange = await next();
    exchange.attach(new Recorder());
    answer(exchange, 200, ['trailer', 'constructor']);
    give(exchange, 'ok');
    exchange.responseTrailers(['constructor', 'x']);
    exchange.responseEnd();
    expect((await visitor.answer()).trailers['constructor']).toBe('x');
  });

  test('keeps a length that is known', async () => {
    const { port, next } = await setup(version);
    const visitor = ask(port);
    const exchange = await next();
    exchange.attach(new Recorder());
    answer(exchange, 200, [], 5);
    give(exchange, 'hello');
    exchange.responseEnd();
    expect(await visitor.answer()).toMatchObject({ fields: { 'content-length': '5' }, body: Buffer.from('hello') });
  });

  test.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ])('has no body behind %s %i', async (method, status) => {
    const { port, next } = await setup(version);
    const visitor = ask(port, { method });
    const exchange = await next();
    exchange.attach(new Recorder());
    answer(exchange, status, []);
    exchange.responseEnd();
    expect(await visitor.answer()).toMatchObject({ status, body: Buffer.alloc(0) });
  });

  test('says when the visitor does not read, and when it does again', async () => {
    const { port, next } = await setup(version);
    const visitor = ask(port);
    const exchange = await next();
    const service = new Recorder();
    exchange.attach(service);
    answer(exchange, 200, []);
    await visitor.head;
    const block = Buffer.alloc(65_536, 1);
    let given = 0;
    const most = 64 * 1_024 * 1_024;
    const pour = async (): Promise<void> => {
      for (let waits = false; !waits && given < most; given += block.length) {
        const before = service.resumes;
        const flows = exchange.responseBody(block, 0, block.length);
        // Asked to wait while the network still takes something, it is soon asked to go on.
        if (flows) await new Promise(setImmediate);
        else await sleep(50);
        waits = !flows && service.resumes === before;
      }
    };
    await pour();
    expect(given).toBeLessThan(most);
    const { resumes } = service;
    const told = visitor.answer();
    await expect.poll(() => service.resumes).toBeGreaterThan(resumes);
    exchange.responseEnd();
    expect((await told).body.length).toBe(given);
  });

  test('cuts an answer so that nobody takes it for complete', async () => {
    const { port, next } = await setup(version);
    const visitor = ask(port);
    const exchange = await next();
    exchange.attach(new Recorder());
    answer(exchange, 200, []);
    give(exchange, 'half of');
    await visitor.head;
    exchange.downstream.abort();
    exchange.finish('test');
    await expect(visitor.answer()).rejects.toThrow();
  });

  test('ends without an answer', async () => {
    const { port, next } = await setup(version);
    const visitor = ask(port);
    const exchange = await next();
    exchange.downstream.close();
    exchange.finish('test');
    await expect(visitor.answer()).rejects.toThrow();
  });

  test.each(['before the answer', 'within the answer', 'within the request'])(
    'tells once that the visitor has left, %s',
    async (when) => {
      const { port, next, ends } = await setup(version);
      const visitor = ask(port, { method: 'POST', body: when === 'within the request' });
      visitor.sent.on('error', () => {});
      if (when === 'within the request') visitor.sent.write('abc');
      const exchange = await next();
      const service = new Recorder();
      exchange.attach(service);
      if (when === 'within the request') await expect.poll(() => service.got.length).toBe(3);
      if (when === 'within the answer') {
        answer(exchange, 200, []);
        give(exchange, 'half of');
        await visitor.head;
      }
      visitor.leave();
      await expect.poll(() => ends).toEqual(['client-gone']);
      await sleep(20);
      expect(ends).toEqual(['client-gone']);
      expect(service).toMatchObject({ cancels: 1, ends: when === 'within the request' ? 0 : service.ends });
    },
  );

  test('takes nothing more of a request that is answered before its end', async () => {
    const { port, next, ends } = await setup(version);
    const visitor = ask(port, { method: 'POST', body: true });
    visitor.sent.on('error', () => {});
    visitor.sent.write('abc');
    const exchange = await next();
    const service = new Recorder();
    exchange.attach(service);
    await expect.poll(() => service.got.length).toBe(3);
    answer(exchange, 413, [], 3);
    give(exchange, 'no!');
    exchange.responseEnd();
    visitor.sent.write('more');
    expect(await visitor.answer()).toMatchObject({ status: 413, body: Buffer.from('no!') });
    expect(service.got.toString()).toBe('abc');
    expect(ends).toEqual(['complete']);
    visitor.leave();
  });
});
