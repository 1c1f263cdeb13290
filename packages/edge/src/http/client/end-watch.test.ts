import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Flag, frame, FrameType } from '../../testing/h2-frames.ts';
import { EndWatch } from './end-watch.ts';
import { UnreadPieces } from './unread-pieces.ts';

const { data, headers, continuation, ping } = FrameType;
const { endStream, endHeaders } = Flag;
const text = Buffer.from('0123456789');

/** Frames, and the streams that have ended behind each. */
const FRAMES: readonly [Buffer, number[]][] = [
  [frame(headers, endHeaders, 1, text), []],
  [frame(data, 0, 1, text), []],
  [frame(ping, Flag.ack, 0, Buffer.alloc(8)), []],
  [frame(data, endStream, 1, text), [1]],
  [frame(headers, endStream | endHeaders, 3, text), [3]],
  [frame(headers, endStream, 5, text), []],
  [frame(continuation, 0, 5, text), []],
  [frame(continuation, endHeaders, 5), [5]],
  [frame(headers, 0, 7, text), []],
  [frame(continuation, endHeaders, 7, text), []],
  [frame(data, endStream, 7), [7]],
];

test('a stream has ended when the frame that ends it is whole, however the bytes come', () => {
  const bytes = Buffer.concat(FRAMES.map(([one]) => one));
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: bytes.length }), { maxLength: 20 }), (places) => {
      const watch = new EndWatch(new UnreadPieces(() => {}));
      const cuts = [...places.toSorted((a, b) => a - b), bytes.length];
      let at = 0;
      let due = 0;
      let passed = 0;
      for (const cut of cuts) {
        watch.read(bytes.subarray(at, cut));
        at = cut;
        for (; due < FRAMES.length; due++) {
          const [one, ended] = FRAMES[due] ?? [Buffer.alloc(0), []];
          if (passed + one.length > at) {
            for (const id of ended) expect(watch.take(id)).toBe(false);
            break;
          }
          passed += one.length;
          for (const id of ended) expect(watch.take(id)).toBe(true);
        }
      }
      expect(due).toBe(FRAMES.length);
      for (const id of [1, 3, 5, 7]) expect(watch.take(id)).toBe(false);
    }),
  );
});
