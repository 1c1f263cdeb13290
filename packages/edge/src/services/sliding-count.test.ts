import { describe, expect, it } from 'vitest';
import { Dice } from '../testing/dice.ts';
import { SlidingCount, type SlidingWindow } from './sliding-count.ts';

/** Every event by its time: what the counts are compared with. */
class Plain {
  readonly times: number[] = [];

  /** @returns how many there are in the slice of `now` and as many before it as make up the window */
  count(now: number, { windowMs, slices }: SlidingWindow): number {
    const slice = Math.floor((now * slices) / windowMs);
    return this.times.filter((time) => Math.floor((time * slices) / windowMs) > slice - slices).length;
  }
}

describe('a sliding count', () => {
  it('has room until the capacity, and again when the oldest slice has left', () => {
    const window = { windowMs: 60_000, slices: 6 };
    const count = new SlidingCount(5_000, window);
    const take = (now: number): number => count.take(now, 3, window);
    expect([take(5_000), take(9_999), take(12_000)]).toEqual([0, 0, 0]);
    expect(take(13_000)).toBe(47_000);
    expect(take(59_999)).toBe(1);
    expect([take(60_000), take(60_001)]).toEqual([0, 0]);
    expect(take(60_002)).toBe(9_998);
    expect(take(70_000)).toBe(0);
    expect([count.isOver(129_999, window), count.isOver(130_000, window)]).toEqual([false, true]);
  });

  it('waits for as much as an edit has made too much', () => {
    const window = { windowMs: 60_000, slices: 6 };
    const count = new SlidingCount(0, window);
    for (const now of [0, 10_000, 20_000, 30_000]) expect(count.take(now, 10, window)).toBe(0);
    expect(count.take(35_000, 4, window)).toBe(25_000);
    expect(count.take(35_000, 2, window)).toBe(45_000);
    expect(count.take(35_000, 1, window)).toBe(55_000);
    expect(count.take(35_000, 5, window)).toBe(0);
  });

  it('takes a clock that is set back for one that stands still', () => {
    const window = { windowMs: 60_000, slices: 6 };
    const count = new SlidingCount(100_000, window);
    expect([count.take(100_000, 2, window), count.take(1_000, 2, window)]).toEqual([0, 0]);
    expect(count.take(1_000, 2, window)).toBeGreaterThan(0);
  });

  const windows: SlidingWindow[] = [
    { windowMs: 60_000, slices: 6 },
    { windowMs: 70_000, slices: 7 },
    { windowMs: 86_400_000, slices: 60 },
    { windowMs: 3_610_000, slices: 60 },
    { windowMs: 60_000, slices: 1 },
  ];
  it.each(windows)('never lets more than its capacity into a window of %o', (window) => {
    for (let seed = 1; seed <= 20; seed++) {
      const dice = new Dice(seed);
      const capacity = 1 + dice.below(12);
      let now = dice.below(window.windowMs * 10);
      const count = new SlidingCount(now, window);
      const plain = new Plain();
      for (let n = 0; n < 400; n++) {
        const room = plain.count(now, window) < capacity;
        const wait = count.take(now, capacity, window);
        expect([seed, n, wait === 0]).toEqual([seed, n, room]);
        if (room) plain.times.push(now);
        // What it says is when there is room, and not before.
        else
          expect([now + wait, now + wait - 1].map((at) => plain.count(at, window) < capacity)).toEqual([true, false]);
        now += dice.once(40) ? dice.below(window.windowMs * 3) : dice.below((window.windowMs / capacity) * 2);
      }
      for (const start of plain.times) {
        const from = (Math.floor((start * window.slices) / window.windowMs) * window.windowMs) / window.slices;
        const inside = plain.times.filter((time) => time >= from && time < from + window.windowMs);
        expect([seed, inside.length <= capacity]).toEqual([seed, true]);
      }
    }
  });
});
