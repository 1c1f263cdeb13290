/** Credit between a visitor's frames and a service's bytes: what one of them says of the other. */
import { array, assert, integer, oneof, property } from 'fast-check';
import type { MuxStream, MuxStreamHandler } from '@postern/protocol';
import { expect, test } from 'vitest';
import { WebSocketStream } from './websocket-stream.ts';

const NOTHING: MuxStreamHandler = { onData() {}, onEnd() {}, onReset() {}, onDrain() {} };

function makeStream(): {
  readonly stream: WebSocketStream;
  readonly credit: () => number;
  readonly wire: () => number;
} {
  let credit = 0;
  let wire = 0;
  const agent: MuxStream = {
    id: 2,
    type: 3,
    handler: NOTHING,
    context: null,
    narrow: false,
    queued: 0,
    unsent: 0,
    writable: true,
    closed: false,
    write: () => true,
    writeShared: () => true,
    end() {},
    reset() {},
    resetBehind() {},
    consume: (n) => void (credit += n),
  };
  const stream = new WebSocketStream(agent);
  stream.handler = { ...NOTHING, onData: (chunk) => void (wire += chunk.length) };
  return { stream, credit: () => credit, wire: () => wire };
}

test('a frame’s bytes are credit when all of the frame has left, or a few small ones behind it, and never before', () => {
  const sizes = array(oneof(integer({ min: 1, max: 300 }), integer({ min: 1, max: 70_000 })), {
    minLength: 1,
    maxLength: 30,
  });
  assert(
    property(sizes, array(integer({ min: 1, max: 90_000 }), { maxLength: 60 }), (chunks, taken) => {
      const { stream, credit, wire } = makeStream();
      const ends: { wire: number; payload: number }[] = [];
      let payload = 0;
      for (const size of chunks) {
        stream.onData(Buffer.alloc(size));
        ends.push({ wire: wire(), payload: (payload += size) });
      }
      let left = 0;
      for (const n of [...taken, wire()]) {
        const step = Math.min(n, wire() - left);
        left += step;
        stream.consume(step);
        const gone = ends.findLast((end) => end.wire <= left)?.payload ?? 0;
        expect(credit()).toBeLessThanOrEqual(gone);
        expect(credit()).toBeGreaterThan(gone - 4_096);
        if (left === wire()) expect(credit()).toBe(payload);
      }
    }),
  );
});

test('a quarter of a million frames of one byte each are no work for one another', () => {
  const { stream, credit, wire } = makeStream();
  const frames = 262_144;
  const byte = Buffer.from('a');
  for (let at = 0; at < frames; at++) stream.onData(byte);
  expect(wire()).toBe(3 * frames);
  for (let at = 0; at < frames; at++) {
    stream.consume(3);
    if (at % 2 === 0) stream.onData(byte);
  }
  const more = frames / 2;
  stream.consume(3 * more);
  expect(credit()).toBe(frames + more);
});
