import type { CountLimit } from '@postern/policy';
import { describe, expect, it } from 'vitest';
import { Dice } from '../testing/dice.ts';
import { SlidingCounters } from './counters.ts';

const MINUTE = 60_000;
const limit = (capacity: number, set = 'a'): CountLimit => ({ set, capacity, windowMs: MINUTE, slices: 6 });

function counters(perEndpoint = 10, all = 30): { readonly counts: SlidingCounters; readonly clock: { now: number } } {
  const clock = { now: 1_000_000 };
  return { counts: new SlidingCounters(() => clock.now, { perEndpoint, all }), clock };
}

function many(counts: SlidingCounters, count: number, endpoint = 'e1', of = limit(100), prefix = 'x'): void {
  for (let n = 0; n < count; n++) counts.take(endpoint, `${prefix}${n}`, of);
}

describe('counters', () => {
  it('count by endpoint, set and bucket', () => {
    const { counts } = counters();
    expect(counts.take('e1', 'x', limit(1))).toBe(0);
    expect(counts.take('e1', 'x', limit(1))).toBeGreaterThan(0);
    expect(counts.take('e1', 'y', limit(1))).toBe(0);
    expect(counts.take('e2', 'x', limit(1))).toBe(0);
    expect(counts.take('e1', 'x', limit(1, 'b'))).toBe(0);
    // The policy was edited.
    expect(counts.take('e1', 'x', limit(2))).toBe(0);
    expect(counts.take('e1', 'x', limit(2))).toBeGreaterThan(0);
  });

  it('are bounded, for an endpoint and for all', () => {
    const { counts } = counters();
    many(counts, 1000);
    expect([counts.size, counts.forgotten]).toEqual([10, 990]);
    for (let n = 0; n < 100; n++) many(counts, 7, `f${n}`);
    expect(counts.size).toBe(30);
  });

  it('let no endpoint and no set push out what is within its share', () => {
    const { counts } = counters();
    const victims = ['v1', 'v2', 'v3'];
    for (const name of victims) counts.take(name, 'x', limit(1));
    for (let n = 0; n < 20; n++) many(counts, 10, `e${n % 4}`, limit(100), `${n} `);
    for (const name of victims) expect(counts.take(name, 'x', limit(1))).toBeGreaterThan(0);

    counts.take('e1', 'limited', limit(1, 'by address'));
    many(counts, 1000, 'e1', limit(100, 'by header'), 'h');
    expect(counts.take('e1', 'limited', limit(1, 'by address'))).toBeGreaterThan(0);
  });

  it('forget what has counted more after as many more new buckets', () => {
    expect(flushedAfter(1)).toBe(10);
    expect(flushedAfter(2)).toBe(19);
    expect(flushedAfter(30)).toBeGreaterThan(250);
  });

  it('pass over so many at most for one that is new', () => {
    const { counts } = counters(1000, 1000);
    for (let round = 0; round < 5; round++) many(counts, 1000);
    expect(counts.forgotten).toBe(0);
    many(counts, 1, 'e1', limit(100), 'new');
    expect([counts.size, counts.forgotten]).toEqual([1000, 1]);
  });

  it('drop what is over first, also of an endpoint that nobody asks any more', () => {
    const { counts, clock } = counters();
    many(counts, 9, 'old');
    many(counts, 5, 'e1');
    clock.now += 2 * MINUTE;
    many(counts, 10, 'e2');
    expect(counts.forgotten).toBe(0);
    many(counts, 10, 'e3');
    expect([counts.size, counts.forgotten]).toEqual([20, 0]);
  });

  it('never hold more than their bounds nor lose count of what they hold, whatever is asked', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const dice = new Dice(seed);
      const { counts, clock } = counters();
      for (let n = 0; n < 3000; n++) {
        clock.now += dice.once(50) ? dice.below(3 * MINUTE) : dice.below(200);
        counts.take(`e${dice.below(6)}`, `b${dice.below(30)}`, limit(1 + dice.below(5), dice.pick(['a', 'b', 'c'])));
        expect(counts.size).toBeLessThanOrEqual(30);
      }
      // When everything is over, new ones find it all.
      clock.now += 2 * MINUTE;
      many(counts, 100, 'last');
      expect([seed, counts.size]).toEqual([seed, 10]);
    }
  });
});

/** New buckets until one with so many events is forgotten. */
function flushedAfter(events: number): number {
  for (let flood = 1; flood <= 1000; flood++) {
    const { counts } = counters();
    for (let n = 0; n < events; n++) counts.take('e1', 'mine', limit(events));
    many(counts, flood);
    if (counts.take('e1', 'mine', limit(events)) === 0) return flood;
  }
  return Infinity;
}
