import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { SendQueue } from './send-queue.ts';

/** What a writer hands over: its own buffer, or one that it overwrites at once; and how much leaves after it. */
const step = fc.record({
  length: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 3_000, max: 70_000 })),
  shared: fc.boolean(),
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
      for (const [index, { length, shared, sentBeforeOwning, sentAfter }] of steps.entries()) {
        const chunk = Buffer.alloc(length, `${index} `);
        written.push(Buffer.from(chunk));
        queue.push(chunk);
        send(sentBeforeOwning);
        if (shared) {
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
