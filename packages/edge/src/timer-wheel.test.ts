import { setImmediate as immediate } from 'node:timers/promises';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createTimerWheel } from './timer-wheel.ts';

describe('timer wheel', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('fires once, never early and at most two slots late', () => {
    const wheel = createTimerWheel();
    const fired = vi.fn();
    wheel.schedule(1000, fired);
    vi.advanceTimersByTime(999);
    expect(fired).not.toHaveBeenCalled();
    vi.advanceTimersByTime(301);
    expect(fired).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(100_000);
    expect(fired).toHaveBeenCalledTimes(1);
  });

  test('runs no interval while nothing waits', () => {
    const wheel = createTimerWheel();
    expect(vi.getTimerCount()).toBe(0);
    const timer = wheel.schedule(5000, () => {});
    expect(vi.getTimerCount()).toBe(1);
    timer.cancel();
    timer.cancel();
    expect(wheel.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('refresh starts over, also after it has fired', () => {
    const wheel = createTimerWheel();
    const fired = vi.fn();
    const timer = wheel.schedule(500, fired);
    for (let i = 0; i < 20; i++) {
      vi.advanceTimersByTime(400);
      timer.refresh();
    }
    expect(fired).not.toHaveBeenCalled();
    vi.advanceTimersByTime(800);
    expect(fired).toHaveBeenCalledTimes(1);
    timer.refresh();
    vi.advanceTimersByTime(800);
    expect(fired).toHaveBeenCalledTimes(2);
    expect(wheel.size).toBe(0);
  });

  test('what is refreshed while the process is held up counts from then', async () => {
    let now = 0;
    const wheel = createTimerWheel({ now: () => now });
    const fired: string[] = [];
    const busy = wheel.schedule(30_000, () => fired.push('busy'));
    wheel.schedule(30_000, () => fired.push('silent'));
    const pass = async (milliseconds: number): Promise<void> => {
      now += milliseconds;
      vi.advanceTimersByTime(100);
      await immediate();
    };
    for (const stall of [20_000, 9_000]) {
      now += stall;
      busy.refresh();
      expect(busy.age()).toBeLessThanOrEqual(stall);
      await pass(0);
    }
    await pass(1_300);
    expect(fired).toEqual(['silent']);
    await pass(28_600);
    expect(fired).toEqual(['silent']);
    await pass(500);
    expect(fired).toEqual(['silent', 'busy']);
    expect(wheel.size).toBe(0);
  });

  test('a waiting timer that is refreshed is never early, and at most three slots late', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 40 }), (gaps) => {
        const wheel = createTimerWheel();
        let refreshed = 0;
        let fired = -1;
        const timer = wheel.schedule(4_000, () => (fired = performance.now() - refreshed));
        for (const gap of gaps) {
          vi.advanceTimersByTime(gap * 97);
          refreshed = performance.now();
          timer.refresh();
        }
        expect(fired).toBe(-1);
        vi.advanceTimersByTime(4_400);
        expect(fired >= 4_000 && fired <= 4_400).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test('a callback may cancel its neighbour of the same slot and schedule anew', () => {
    const wheel = createTimerWheel();
    const order: string[] = [];
    const handles = ['a', 'b'].map((name) =>
      wheel.schedule(300, () => {
        order.push(name);
        for (const handle of handles) handle.cancel();
        wheel.schedule(51_200, () => order.push(`${name} later`));
      }),
    );
    vi.advanceTimersByTime(1000);
    expect(order).toHaveLength(1);
    vi.advanceTimersByTime(52_000);
    expect(order).toHaveLength(2);
    expect(wheel.size).toBe(0);
  });

  test('any mix of delays fires each in its window', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 300_000 }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 700 }),
        (delays, step) => {
          const wheel = createTimerWheel();
          const start = performance.now();
          const late: number[] = [];
          for (const delay of delays) wheel.schedule(delay, () => late.push(performance.now() - start - delay));
          // Irregular polling stands for a busy event loop.
          for (let elapsed = 0; elapsed <= 301_000; elapsed += step * 50) vi.advanceTimersByTime(step * 50);
          expect(late).toHaveLength(delays.length);
          for (const value of late) expect(value >= 0 && value <= 300).toBe(true);
          expect(wheel.size).toBe(0);
        },
      ),
      { numRuns: 15 },
    );
  });
});
