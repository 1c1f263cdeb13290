/**
 * RST_STREAM with NO_ERROR (RFC 9113 §8.1) while the other direction still has a write under way: the runtime never ends
 * such a stream by itself, neither as a server nor as a client, and what holds it would hold it for ever.
 */
import { connect } from 'node:http2';
import { describe, expect, test } from 'vitest';
import { endReset } from './codec/http2-no-error.ts';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { Flag, frame, FrameType, setting, words } from '../testing/h2-frames.ts';
import { dial, harness, sleep } from '../testing/http-harness.ts';
import { nodeService, rawService } from '../testing/services.ts';

const INITIAL_WINDOW = 4;
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const OK = Buffer.from([0x88]);
const GET = Buffer.from('\x82\x86\x84\x41\x08app.test', 'latin1');
const POST = Buffer.from('\x83\x86\x84\x41\x08app.test', 'latin1');

describe('a visitor that resets with NO_ERROR while its answer waits for its window', () => {
  test.each([
    ['behind a whole request', Flag.endHeaders | Flag.endStream, GET],
    ['in the middle of its request', Flag.endHeaders, POST],
  ])('%s leaves nothing behind', async (_, flags, head) => {
    await using service = await nodeService((request, response) => {
      request.resume();
      response.end(Buffer.alloc(100_000));
    });
    await using edge = await harness({ http2: true, agents: { s1: dial(service.port) } });
    edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: [upstream('s1', 't1')] }));
    const socket = edge.connect();
    socket.on('error', () => {});
    let heads = 0;
    socket.on('data', (chunk: Buffer) => {
      for (let at = 0; at + 9 <= chunk.length; at += 9 + chunk.readUIntBE(at, 3)) {
        if (chunk[at + 3] === FrameType.headers) heads++;
      }
    });
    socket.write(Buffer.concat([PREFACE, frame(FrameType.settings, 0, 0, setting(INITIAL_WINDOW, 0))]));
    for (let id = 1; id < 40; id += 2) {
      socket.write(frame(FrameType.headers, flags, id, head));
      await expect.poll(() => heads).toBe((id + 1) / 2);
      socket.write(frame(FrameType.resetStream, 0, id, words(0)));
    }
    await expect.poll(() => edge.events.length).toBe(20);
    // A connection without streams ends at once when it is drained; one with streams waits for them.
    await edge.service.drain();
    socket.destroy();
  });
});

describe('a service that answers and resets with NO_ERROR while the request waits for its window', () => {
  test.each([true, false])('gives its place back (visitor over HTTP/2: %s)', async (http2) => {
    let answered = false;
    await using service = await rawService((socket) => {
      socket.on('error', () => {});
      socket.write(frame(FrameType.settings, 0, 0));
      let came = 0;
      socket.on('data', (chunk: Buffer) => {
        came += chunk.length;
        // All that the first window takes.
        if (answered || came < 65_535) return;
        answered = true;
        const piece = Buffer.alloc(16_384);
        socket.write(
          Buffer.concat([
            frame(FrameType.settings, Flag.ack, 0),
            frame(FrameType.headers, Flag.endHeaders, 1, OK),
            ...Array.from({ length: 30 }, () => frame(FrameType.data, 0, 1, piece)),
            frame(FrameType.data, Flag.endStream, 1, piece),
            frame(FrameType.resetStream, 0, 1, words(0)),
          ]),
        );
      });
    });
    await using edge = await harness({ http2, limits: { upstreamIdleMs: 100 }, agents: { s1: dial(service.port) } });
    edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: [upstream('s1', 't1', { protocol: 'http2' })] }));
    const body = Buffer.alloc(100_000);
    let bytes = 0;
    const count = (chunk: Buffer): void => void (bytes += chunk.length);
    const session = http2 ? connect(`http://127.0.0.1:${edge.port}`) : null;
    const stream = session?.request({ ':method': 'POST', ':path': '/', ':authority': 'app.test' });
    const visitor = stream ?? edge.connect();
    for (const one of [session, visitor]) one?.on('error', () => {});
    if (stream === undefined) visitor.write(`POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 200000\r\n\r\n`);
    visitor.write(body);
    await expect.poll(() => answered).toBe(true);
    // The answer is there before anybody reads it.
    await sleep(100);
    visitor.on('data', count);
    await expect.poll(() => bytes).toBeGreaterThanOrEqual(31 * 16_384);
    await expect.poll(() => edge.events.map(({ reason }) => reason)).toEqual(['complete']);
    await expect.poll(() => edge.agents.get('s1')?.server.streamCount).toBe(0);
    session?.destroy();
    visitor.destroy();
  });
});

/** Why a visitor of the runtime's own can seem to wait for an answer that it has: no edge is between these two. */
test('the runtime alone does not end such a stream', async () => {
  await using service = await rawService((socket) => {
    socket.on('error', () => {});
    socket.write(frame(FrameType.settings, 0, 0));
    let came = 0;
    socket.on('data', (chunk: Buffer) => {
      const before = came;
      came += chunk.length;
      if (before >= 65_535 || came < 65_535) return;
      socket.write(
        Buffer.concat([
          frame(FrameType.headers, Flag.endHeaders, 1, OK),
          frame(FrameType.data, 0, 1, 'one'),
          frame(FrameType.data, Flag.endStream, 1, 'two'),
          frame(FrameType.resetStream, 0, 1, words(0)),
        ]),
      );
    });
  });
  const session = connect(`http://127.0.0.1:${service.port}`);
  const stream = session.request({ ':method': 'POST', ':path': '/' });
  for (const one of [session, stream]) one.on('error', () => {});
  let ended = false;
  // A slow reader: what comes behind the first piece has to wait.
  stream.on('data', () => {
    stream.pause();
    setTimeout(() => stream.resume(), 5);
  });
  stream.on('end', () => (ended = true));
  stream.write(Buffer.alloc(100_000));
  await expect.poll(() => ended).toBe(true);
  await sleep(100);
  expect([stream.closed, stream.rstCode, stream.destroyed]).toEqual([true, 0, false]);
  endReset(stream);
  expect(stream.destroyed).toBe(true);
  session.destroy();
});
