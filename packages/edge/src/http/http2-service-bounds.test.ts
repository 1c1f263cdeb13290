/** What an HTTP/2 service says of itself and does not keep to, or has said before. */
import { connect } from 'node:http2';
import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { endpoint, upstream } from '../testing/fixtures.ts';
import { Flag, frame, FrameType, literal, setting } from '../testing/h2-frames.ts';
import { byHand } from '../testing/hand-made-http2.ts';
import { dial, type Harness, harness } from '../testing/http-harness.ts';
import { rawService, type Service } from '../testing/services.ts';

const OK = Buffer.from([0x88]);
const PREFACE_BYTES = 24;
const MAX_CONCURRENT = 3;

async function edgeTo(service: Service): Promise<Harness & AsyncDisposable> {
  const edge = await harness({ http2: true, agents: { s1: dial(service.port) } });
  edge.publish(endpoint('ep_1', 'http', 'app.test', { upstreams: [upstream('s1', 't1', { protocol: 'http2' })] }));
  return edge;
}

const answer = (id: number): Buffer =>
  Buffer.concat([
    frame(FrameType.headers, Flag.endHeaders, id, OK),
    frame(FrameType.data, Flag.endStream, id, 'hello'),
  ]);

describe('an answer of more bytes than its length', () => {
  test.each([
    ['in one piece', ['hello world']],
    ['behind its whole length', ['hello', ' world']],
    ['that is 0', []],
  ])('%s costs its exchange, and not those beside it', async (_, pieces) => {
    const slow: { socket: Socket; id: number }[] = [];
    let sockets = 0;
    await using service = await byHand((socket, type, _flags, id) => {
      if (type !== FrameType.headers) return;
      if (slow.length === 0) {
        slow.push({ socket, id });
        sockets++;
        return;
      }
      if (slow[0]?.socket !== socket) sockets++;
      const length = literal('content-length', pieces.length === 0 ? '0' : '5');
      socket.write(frame(FrameType.headers, Flag.endHeaders, id, Buffer.concat([OK, length])));
      for (const piece of pieces.length === 0 ? ['x'] : pieces) socket.write(frame(FrameType.data, 0, id, piece));
      socket.write(frame(FrameType.data, Flag.endStream, id));
    });
    await using edge = await edgeTo(service);
    const session = connect(`http://127.0.0.1:${edge.port}`);
    session.on('error', () => {});
    const ask = (): { done: Promise<number>; text: () => string } => {
      const stream = session.request({ ':path': '/', ':authority': 'app.test' });
      let text = '';
      stream.on('error', () => {});
      stream.on('data', (part: Buffer) => (text += part.toString()));
      return { done: new Promise((resolve) => stream.once('close', () => resolve(stream.rstCode))), text: () => text };
    };
    const first = ask();
    await expect.poll(() => slow.length).toBe(1);
    for (let count = 0; count < 3; count++) {
      const too = ask();
      expect(await too.done).not.toBe(0);
      expect('hello').toContain(too.text());
    }
    for (const { socket, id } of slow) socket.write(answer(id));
    expect(await first.done).toBe(0);
    expect(first.text()).toBe('hello');
    expect([sockets, session.destroyed]).toEqual([1, false]);
    session.destroy();
  });
});

describe('how many requests at once a service takes', () => {
  test('is remembered for the next connection to it', async () => {
    const most: number[] = [];
    const open = new Map<Socket, Set<number>>();
    await using service = await rawService((socket) => {
      const ids = new Set<number>();
      const at = most.push(0) - 1;
      open.set(socket, ids);
      let unread = Buffer.alloc(0);
      socket.on('error', () => {});
      socket.on('data', (chunk: Buffer) => {
        unread = Buffer.concat([unread, chunk]);
        if (unread.subarray(0, 3).toString() === 'PRI') unread = unread.subarray(PREFACE_BYTES);
        while (unread.length >= 9 && unread.length >= 9 + unread.readUIntBE(0, 3)) {
          const id = unread.readUInt32BE(5);
          if (unread[3] === FrameType.headers) {
            ids.add(id);
            most[at] = Math.max(most[at] ?? 0, ids.size);
            setTimeout(() => {
              ids.delete(id);
              socket.write(answer(id));
            }, 50);
          }
          unread = unread.subarray(9 + unread.readUIntBE(0, 3));
        }
        // Behind the first requests: nobody can know the number before.
        if (ids.size > 0) socket.write(frame(FrameType.settings, 0, 0, setting(MAX_CONCURRENT, 2)));
      });
    });
    await using edge = await edgeTo(service);
    const burst = async (): Promise<void> => {
      const session = connect(`http://127.0.0.1:${edge.port}`);
      session.on('error', () => {});
      const streams = Array.from({ length: 6 }, () => session.request({ ':path': '/', ':authority': 'app.test' }));
      await Promise.all(
        streams.map((stream) => {
          stream.on('error', () => {}).resume();
          return new Promise((resolve) => stream.once('close', resolve));
        }),
      );
      session.destroy();
    };
    await burst();
    const before = most.length;
    expect(Math.max(...most)).toBeGreaterThan(2);
    await burst();
    expect(Math.max(...most.slice(before))).toBe(2);
  });
});
