import { describe, expect, test } from 'vitest';
import { Pace, Paces } from './pace.ts';

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

  test('each account has its own, forgotten when it is rested', () => {
    let now = 0;
    const paces = new Paces(LIMITS, () => now);
    const one = paces.of('a');
    one.take();
    expect(paces.of('a')).toBe(one);
    expect(paces.of('b')).not.toBe(one);
    now = 10_000;
    paces.of('c');
    expect(paces.of('a')).not.toBe(one);
  });
});
