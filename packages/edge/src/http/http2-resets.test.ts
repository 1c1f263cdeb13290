/**
 * HTTP/2 visitors who reset their stream at every point of an exchange, with every code, over services of every manner:
 * nothing that they can time is a mistake of ours. Seeded (POSTERN_SEED); POSTERN_FUZZ_SECONDS makes a long run of it.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Dice, SEED } from '../testing/dice.ts';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { frame, literal, words } from '../testing/h2-frames.ts';
import { dial, harness, type Harness, sleep } from '../testing/http-harness.ts';
import { rawService, type Service } from '../testing/services.ts';

/** Of all tests here together. */
const SECONDS = Number(process.env['POSTERN_FUZZ_SECONDS'] ?? 0);
const LEAST_ROUNDS = 3;

const dice = new Dice(SEED);
const PREFACE = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, 0, 0)]);

/** `:method`, `:scheme http`, `:path /`, `:authority app.test`. */
const pseudo = (method: number): Buffer =>
  Buffer.concat([Buffer.from([method, 0x86, 0x84, 0x41, 8]), Buffer.from('app.test')]);
const GET = 0x82;
const POST = 0x83;

/** Frames of one request; each is a point behind which it may be reset. */
const REQUESTS: Readonly<Record<string, (id: number) => Buffer[]>> = {
  'a GET': (id) => [frame(1, 5, id, pseudo(GET))],
  'a body': (id) => [
    frame(1, 4, id, pseudo(POST)),
    frame(0, 0, id, Buffer.alloc(1_000)),
    frame(8, 0, id, words(1)),
    frame(0, 1, id, Buffer.alloc(16_000)),
  ],
  'a body with trailers': (id) => [
    frame(1, 4, id, pseudo(POST)),
    frame(0, 0, id, Buffer.from('x')),
    frame(1, 5, id, literal('x-sum', '1')),
  ],
  'a body against its length': (id) => [
    frame(1, 4, id, Buffer.concat([pseudo(POST), literal('content-length', '0')])),
    frame(0, 1, id, Buffer.alloc(10)),
  ],
  'a head that is refused': (id) => [frame(1, 5, id, Buffer.concat([pseudo(GET), literal('content_length', '1')]))],
  'a HEAD': (id) => [frame(1, 5, id, Buffer.concat([literal(':method', 'HEAD'), pseudo(GET).subarray(1)]))],
  'trailers that are refused': (id) => [
    frame(1, 4, id, pseudo(POST)),
    frame(0, 0, id, Buffer.from('x')),
    frame(1, 5, id, literal('host', 'x')),
  ],
};

/** What the service says, and how long it takes between two pieces. */
const HINTS = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
const SERVICES: Readonly<Record<string, readonly string[]>> = {
  'a word': ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'],
  'hints, chunks and trailers': [
    HINTS,
    HINTS,
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    '2\r\nok\r\n',
    '0\r\nX-End: 1\r\n\r\n',
  ],
  'a large body': [`HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n${'x'.repeat(200_000)}`, 'x'.repeat(200_000)],
  'half an answer': ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok', ''],
  nothing: [],
};
const CODES = [0, 1, 2, 5, 7, 8, 11];
const WAITS = [
  (): Promise<unknown> => Promise.resolve(),
  (): Promise<unknown> => turn(),
  (): Promise<unknown> => sleep(1),
  (): Promise<unknown> => sleep(8),
];
const SHARE_MS = (SECONDS * 1_000) / (Object.keys(SERVICES).length * Object.keys(REQUESTS).length);

describe.each(Object.entries(SERVICES))('a visitor resets while the service says %s', (_, pieces) => {
  let service: Service;
  let edge: Harness & AsyncDisposable;

  beforeAll(async () => {
    service = await rawService((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        socket.resume();
        void say(pieces);
      });
      const say = async (rest: readonly string[]): Promise<void> => {
        for (const piece of rest) {
          if (piece === '') socket.destroy();
          else socket.write(piece);
          await sleep(2);
        }
      };
    });
    edge = await harness({ http2: true, agents: { s1: dial(service.port) } });
    edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: [upstream('s1', 't1')] }));
  });
  afterAll(async () => {
    await edge[Symbol.asyncDispose]();
    await service[Symbol.asyncDispose]();
  });

  test.each(Object.entries(REQUESTS))('of %s', { timeout: 120_000 + SHARE_MS }, async (_name, frames) => {
    const end = performance.now() + SHARE_MS;
    for (let round = 0; round < LEAST_ROUNDS || performance.now() < end; round++) {
      const socket = edge.connect();
      socket.on('error', () => {});
      socket.resume();
      socket.write(PREFACE);
      let id = -1;
      for (const wait of WAITS) {
        const count = frames(1).length;
        for (let point = 1; point <= count + 1; point++) {
          id += 2;
          const code = CODES[dice.below(CODES.length)] ?? 0;
          for (const one of frames(id).slice(0, point)) {
            // Sometimes in one segment with what follows, sometimes not.
            socket.write(one);
            if (dice.below(3) === 0) await turn();
          }
          await wait();
          socket.write(frame(3, 0, id, words(code)));
          if (dice.below(4) === 0) socket.write(frame(6, 0, 0, Buffer.alloc(8)));
        }
      }
      await sleep(10);
      socket.destroy();
    }
    expect(edge.context.faults.count, `a mistake with POSTERN_SEED=${SEED}`).toBe(0);
    await expect.poll(() => edge.agents.get('s1')?.server.streamCount).toBeLessThan(3);
  });
});
