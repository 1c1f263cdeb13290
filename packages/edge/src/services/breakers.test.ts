import type { BreakerLimit, BreakerPass } from '@postern/policy';
import { describe, expect, it } from 'vitest';
import { CircuitBreakers } from './breakers.ts';

const LIMIT: BreakerLimit = { name: 'a', errorShare: 0.5, volume: 4, windowMs: 10_000, slices: 10, trippedMs: 5_000 };

function start(change: Partial<BreakerLimit> = {}) {
  const clock = { now: 1_000_000 };
  const breakers = new CircuitBreakers(() => clock.now);
  const limit = { ...LIMIT, ...change };
  const enter = (endpoint = 'ep_1'): BreakerPass | null => breakers.enter(endpoint, limit);
  /** `f` failed, `o` fine, `?` unknown; `-` where none passed. */
  const ends = (text: string, endpoint = 'ep_1'): string =>
    Array.from(text, (c) => {
      const pass = enter(endpoint);
      pass?.leave(c === 'f' ? 'failed' : c === 'o' ? 'fine' : 'unknown');
      return pass === null ? '-' : c;
    }).join('');
  return { clock, enter, ends, breakers };
}

describe('circuit breakers', () => {
  it.each([
    [{}, 'offfoo', 'offf--'],
    // Below the volume nothing trips, nor below the share.
    [{}, 'ffo', 'ffo'],
    [{}, 'oooffooffoo', 'oooffooffoo'],
    [{}, 'ffff-', 'ffff-'],
    [{}, '????????fff', '????????fff'],
    [{ errorShare: 1 }, 'fffoffff', 'fffoffff'],
    [{ errorShare: 1 }, 'fffff', 'ffff-'],
    [{ errorShare: 0 }, 'oooooo', 'oooo--'],
    [{ volume: 1 }, 'off', 'of-'],
  ])('with %j: %s', (change, requests, passed) => {
    expect(start(change).ends(requests)).toBe(passed);
  });

  it('lets one try when its time is over, and goes by what comes of it', () => {
    const { clock, ends, enter } = start();
    ends('ffff');
    clock.now += 4_999;
    expect(ends('o')).toBe('-');
    clock.now += 1;
    const trial = enter();
    expect([trial === null, enter()]).toEqual([false, null]);
    trial?.leave('failed');
    clock.now += 4_999;
    expect(enter()).toBe(null);
    clock.now += 1;
    // Who leaves while he tries lets the next one try; then it is closed, and has forgotten.
    expect(ends('?o')).toBe('?o');
    expect(ends('fffof')).toBe('fffo-');
  });

  it('does not wait for ever for the one that tries', () => {
    const { clock, ends, enter } = start();
    ends('ffff');
    clock.now += 5_000;
    expect(enter()).not.toBe(null);
    clock.now += 4_999;
    expect(enter()).toBe(null);
    clock.now += 1;
    expect(enter()).not.toBe(null);
  });

  it('forgets a window part by part, and what was under way when it tripped', () => {
    const { clock, ends, enter } = start();
    expect(ends('ff')).toBe('ff');
    clock.now += 10_000;
    // With the two before, three of five would have failed.
    expect(ends('fooo')).toBe('fooo');
    const late = enter();
    clock.now += 20_000;
    expect(ends('ffff-')).toBe('ffff-');
    clock.now += 5_000;
    expect(ends('o')).toBe('o');
    late?.leave('failed');
    expect(ends('oo')).toBe('oo');
  });

  it('is each endpoint’s own, and bounded in number', () => {
    const { ends, breakers } = start();
    expect(ends('ffff-')).toBe('ffff-');
    expect(ends('o', 'ep_2')).toBe('o');
    for (let n = 0; n < 499; n++) breakers.enter('ep_1', { ...LIMIT, name: `other ${n}` });
    expect(ends('o')).toBe('-');
    for (let n = 0; n < 500; n++) breakers.enter('ep_1', { ...LIMIT, name: `another ${n}` });
    expect(ends('o')).toBe('o');
    ends('ffff', 'ep_3');
    for (let n = 0; n < 20_000; n++) breakers.enter(`ep_many ${n}`, LIMIT);
    expect(ends('o', 'ep_3')).toBe('o');
  });
});
