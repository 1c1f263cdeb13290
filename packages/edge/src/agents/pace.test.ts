import { describe, expect, test } from 'vitest';
import { BindPaces, Pace } from './pace.ts';

const LIMITS = { burst: 10, perSecond: 5, waitMs: 2_000 };

describe('a pace', () => {
  test('gives a burst at once, then turns in order, then none', () => {
    const pace = new Pace(LIMITS, () => 1_000_000);
    const waits = Array.from({ length: 30 }, () => pace.take());
    expect(waits.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 0));
    expect(waits.slice(10, 20)).toEqual([200, 400, 600, 800, 1_000, 1_200, 1_400, 1_600, 1_800, 2_000]);
    expect(waits.slice(20)).toEqual(Array.from({ length: 10 }, () => null));
  });

  test('comes back with time, to a full burst and not beyond', () => {
    let now = 0;
    const pace = new Pace(LIMITS, () => now);
    for (let i = 0; i < 30; i++) pace.take();
    now = 3_000;
    expect(pace.take()).toBe(0);
    now = 1_000_000;
    expect(pace.rested).toBe(true);
    expect(Array.from({ length: 11 }, () => pace.take()).filter((wait) => wait === 0)).toHaveLength(10);
  });

  test('each account has its own for binds', () => {
    let now = 0;
    const paces = new BindPaces(() => now);
    const waits = Array.from({ length: 1_001 }, () => paces.take('a'));
    expect([waits[499], waits[500], waits[999], waits[1_000]]).toEqual([0, 20, 10_000, null]);
    expect(paces.take('b')).toBe(0);
    now = 1_000;
    expect(paces.take('a')).toBe(9_020);
    now = 60_000;
    expect([paces.take('c'), paces.take('a')]).toEqual([0, 0]);
  });
});
