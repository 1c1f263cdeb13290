import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { SendQueue } from './send-queue.ts';

/** What a writer hands over: text, its own buffer, or one that it overwrites at once; and how much leaves after it. */
const step = fc.record({
  length: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 3_000, max: 70_000 })),
  kind: fc.constantFrom('text', 'own', 'shared'),
  sentBeforeOwning: fc.nat(80_000),
  sentAfter: fc.nat(120_000),
});

test('bytes leave as they were written, whatever becomes of the buffers of writers', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new SendQueue();
      const written: Buffer[] = [];
      const sent: Buffer[] = [];
      const send = (count: number): void => {
        const target = Buffer.alloc(Math.min(count, queue.length));
        queue.moveTo(target, 0, target.length);
        sent.push(target);
      };
      for (const [index, { length, kind, sentBeforeOwning, sentAfter }] of steps.entries()) {
        const chunk = Buffer.alloc(length, `${index} \xe9`, 'latin1');
        written.push(Buffer.from(chunk));
        queue.push(kind === 'text' ? chunk.toString('latin1') : chunk);
        send(sentBeforeOwning);
        if (kind === 'shared') {
          queue.own(chunk);
          chunk.fill(0);
        }
        send(sentAfter);
      }
      send(queue.length);
      expect(Buffer.concat(sent).equals(Buffer.concat(written))).toBe(true);
      expect(queue.length).toBe(0);
    }),
    { numRuns: 60 },
  );
});

test('a queue that is cleared starts anew, and its memory serves another', () => {
  const queue = new SendQueue();
  const chunk = Buffer.alloc(10_000, 'a');
  queue.push(chunk);
  queue.own(chunk);
  queue.clear();
  expect(queue.length).toBe(0);
  const other = new SendQueue();
  const [one, two] = [Buffer.alloc(10_000, 'b'), Buffer.alloc(10_000, 'c')];
  other.push(one);
  other.own(one);
  queue.push(two);
  queue.own(two);
  const target = Buffer.alloc(20_000);
  other.moveTo(target, 0, 10_000);
  queue.moveTo(target, 10_000, 10_000);
  expect(target.toString('latin1')).toBe('b'.repeat(10_000) + 'c'.repeat(10_000));
});

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');
function held(): number {
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

test('what is queued in pieces of every size comes out as it went in, however it is pulled', () => {
  let random = 11;
  const below = (bound: number): number => (random = (random * 48_271) % 2_147_483_647) % bound;
  const queue = new SendQueue();
  const given: Buffer[] = [];
  const got: Buffer[] = [];
  let mark = 0;
  const pull = (count: number): void => {
    const target = Buffer.alloc(count + 3);
    queue.moveTo(target, 3, count);
    got.push(target.subarray(3));
  };
  for (let round = 0; round < 20_000; round++) {
    const chunk = Buffer.alloc(below(20) === 0 ? below(9_000) : below(5), ++mark);
    queue.push(chunk);
    given.push(Buffer.from(chunk));
    if (below(2) === 0) {
      // Only valid during the call.
      queue.own(chunk);
      chunk.fill(0);
    }
    if (below(150) === 0) pull(below(queue.length + 1));
    if (below(1_000) === 0) pull(queue.length);
  }
  pull(queue.length);
  expect(Buffer.concat(got).equals(Buffer.concat(given))).toBe(true);
  expect(queue.length).toBe(0);
});

test('bytes that are written one by one do not cost a buffer each', () => {
  const queue = new SendQueue();
  const before = held();
  for (let count = 0; count < 262_144; count++) {
    const one = Buffer.from('x');
    queue.push(one);
    queue.own(one);
  }
  expect(held() - before).toBeLessThan(2_000_000);
  expect(queue.length).toBe(262_144);
});
