/** Who sends its bytes one by one makes nobody keep a buffer for each of them. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { CompiledPolicy, Outcome } from '@postern/policy';
import { describe, expect, test } from 'vitest';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { Flag, frame, FrameType } from '../testing/h2-frames.ts';
import { byHand } from '../testing/hand-made-http2.ts';
import { ENCODERS } from './filters/encode.ts';
import { dial, IGNORE, harness, sleep } from '../testing/http-harness.ts';
import { rawService } from '../testing/services.ts';

const COUNT = 200_000;
/** A buffer for each of them takes five times as much. */
const MOST_BYTES = 8_000_000;

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');
async function held(): Promise<number> {
  for (let time = 0; time < 3; time++) {
    collect();
    await sleep(10);
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const never = new Promise<Outcome>(() => {});

const reads: CompiledPolicy = {
  onTcpConnect: null,
  onEventStreamMessage: null,
  onHttpResponse: null,
  onHttpRequest: {
    name: 'on_http_request',
    start: ({ req }) => ({
      next: async () => (await req?.readBody(1_000_000), never),
      forwardFailed: () => ({ kind: 'continue' }),
    }),
  },
};

const waits: CompiledPolicy = {
  onTcpConnect: null,
  onEventStreamMessage: null,
  onHttpRequest: null,
  onHttpResponse: {
    name: 'on_http_response',
    start: () => ({ next: () => never, forwardFailed: () => ({ kind: 'continue' }) }),
  },
};

const CHUNKS = Buffer.from('1\r\nx\r\n'.repeat(COUNT));

describe('memory for bytes that come one by one', () => {
  test('of a body that a policy reads', async () => {
    await using edge = await harness({ agents: { s1: () => IGNORE }, policies: { reads } });
    edge.publish(endpoint('ep_1', 'http', 'app.test', { policy: 'reads', upstreams: [upstream('s1', 't1')] }));
    const socket = edge.connect().on('error', () => {});
    socket.write('POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n');
    await sleep(50);
    const before = await held();
    await new Promise((resolve) => socket.write(CHUNKS, resolve));
    await sleep(300);
    expect((await held()) - before).toBeLessThan(MOST_BYTES);
    socket.destroy();
  });

  test('of an answer that waits for the rules of responses', async () => {
    let write = (_bytes: Buffer): unknown => null;
    await using edge = await harness({
      policies: { waits },
      agents: {
        s1: (stream) => {
          write = (bytes) => stream.write(bytes);
          return IGNORE;
        },
      },
    });
    edge.publish(endpoint('ep_1', 'http', 'app.test', { policy: 'waits', upstreams: [upstream('s1', 't1')] }));
    const socket = edge.connect().on('error', () => {});
    socket.write('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n');
    await expect.poll(() => edge.agents.get('s1')?.streams).toBe(1);
    await sleep(50);
    write(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'));
    const before = await held();
    const one = Buffer.from('x');
    for (let count = 0; count < COUNT; count++) {
      write(one);
      // A frame for each.
      if (count % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await held()) - before).toBeLessThan(MOST_BYTES);
    socket.destroy();
  });

  test.each(['br', 'gzip', 'deflate'] as const)(
    'of an answer that is encoded by %s for a slow reader',
    async (coding) => {
      let bytes = 0;
      let slow = true;
      const over = Promise.withResolvers<void>();
      const body = ENCODERS[coding].make(
        {
          body: (_, start, end) => {
            bytes += end - start;
            return !slow;
          },
          drained: () => {},
          end: over.resolve,
          failed: over.reject,
        },
        true,
      );
      const before = await held();
      const one = Buffer.from('x');
      for (let count = 0; count < COUNT; count++) body.body(one, 0, 1);
      await sleep(50);
      expect((await held()) - before).toBeLessThan(MOST_BYTES);
      slow = false;
      body.end();
      body.resume();
      await over.promise;
      expect(bytes).toBeGreaterThan(0);
    },
  );

  test('of a request that an HTTP/2 service may refuse untouched', async () => {
    await using service = await rawService((socket) => socket.on('error', () => {}).resume());
    await using edge = await harness({ agents: { s1: dial(service.port) } });
    edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: [upstream('s1', 't1', { protocol: 'http2' })] }));
    const sockets = Array.from({ length: 4 }, () => edge.connect().on('error', () => {}));
    for (const socket of sockets) {
      socket.write('POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n');
    }
    await sleep(100);
    const before = await held();
    for (const socket of sockets) socket.write(CHUNKS.subarray(0, 6 * 60_000));
    await sleep(1_000);
    expect((await held()) - before).toBeLessThan(MOST_BYTES);
    for (const socket of sockets) socket.destroy();
  });

  test('of requests of an HTTP/2 visitor that an HTTP/2 service does not read', async () => {
    const streams = Array.from({ length: 50 }, (_, at) => 1 + 2 * at);
    await using service = await byHand(() => {});
    await using edge = await harness({ http2: true, agents: { s1: dial(service.port) } });
    edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: [upstream('s1', 't1', { protocol: 'http2' })] }));
    const socket = edge.connect().on('error', () => {});
    let told = '';
    socket.on('data', (bytes: Buffer) => (told = (told + bytes.toString('latin1')).slice(-64)));
    socket.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(FrameType.settings, 0, 0)]));
    // POST / of app.test over http.
    const head = Buffer.from('\x83\x86\x84\x41\x08app.test', 'latin1');
    for (const id of streams) socket.write(frame(FrameType.headers, Flag.endHeaders, id, head));
    await expect.poll(() => edge.agents.get('s1')?.streams).toBe(1);
    await sleep(100);
    const before = await held();
    for (const id of streams) {
      const one = frame(FrameType.data, 0, id, 'x');
      await new Promise((resolve) => socket.write(Buffer.concat(Array.from({ length: 16_000 }, () => one)), resolve));
    }
    socket.write(frame(FrameType.ping, 0, 0, 'all read'));
    await expect.poll(() => told).toContain('all read');
    expect((await held()) - before).toBeLessThan(MOST_BYTES);
    socket.destroy();
  });

  test('of an answer of an HTTP/2 service that is not read yet, and all of it comes when it is', async () => {
    const pieces = 400_000;
    let write = (): void => {};
    await using service = await byHand((socket, type, _flags, id) => {
      if (type !== FrameType.headers) return;
      socket.write(frame(FrameType.headers, Flag.endHeaders, id, Buffer.from([0x88])));
      const some = Buffer.concat(Array.from({ length: 1_000 }, () => frame(FrameType.data, 0, id, 'x')));
      write = () => {
        for (let sent = 0; sent < pieces; sent += 1_000) socket.write(some);
        socket.write(frame(FrameType.data, Flag.endStream, id));
      };
    });
    const asked = Promise.withResolvers<void>();
    const judged = Promise.withResolvers<Outcome>();
    const later: CompiledPolicy = {
      ...waits,
      onHttpResponse: {
        name: 'on_http_response',
        start: () => ({ next: () => (asked.resolve(), judged.promise), forwardFailed: () => ({ kind: 'continue' }) }),
      },
    };
    await using edge = await harness({ agents: { s1: dial(service.port) }, policies: { later } });
    const upstreams = [upstream('s1', 't1', { protocol: 'http2' })];
    edge.publish(endpoint('ep_1', 'http', 'app.test', { policy: 'later', upstreams }));
    const socket = edge.connect().on('error', () => {});
    let got = '';
    socket.on('data', (bytes: Buffer) => (got += bytes.toString('latin1')));
    socket.write('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n');
    await asked.promise;
    const before = await held();
    write();
    await sleep(3_000);
    // Some are on their way when no more is asked for.
    expect((await held()) - before).toBeLessThan(3 * MOST_BYTES);
    judged.resolve({ kind: 'continue' });
    await expect.poll(() => got.endsWith('\r\n0\r\n\r\n')).toBe(true);
    expect(got.split('\r\nx').length - 1).toBe(pieces);
    socket.destroy();
  });
});
