import { expect, test } from 'vitest';
import { backoff } from './backoff.ts';
import { type Kept, nextOf } from './kept.ts';
import { renewalOf, renewalWithin } from './renewal.ts';

function kept(parts: {
  accountId?: string;
  own?: boolean;
  running?: boolean;
  dueAt?: number;
  notAfter?: number;
}): Kept {
  const { accountId = 'ac_1', own = false, running = false, dueAt = 0, notAfter } = parts;
  const subject = { accountId, domainId: own ? '' : 'rd_1', names: ['a.test'], keyType: 'ecdsa' as const };
  return {
    // What is chosen among does not look at the row.
    // oxlint-disable-next-line no-unsafe-type-assertion
    row: {} as Kept['row'],
    subject,
    life: notAfter === undefined ? null : { notBefore: 0, notAfter },
    dueAt,
    askAt: 0,
    running,
    askedAt: 0,
    gone: false,
  };
}

test('base domains go first, then whoever has least under way, then what ends first', () => {
  const busy = [kept({ running: true }), kept({ running: true })];
  const mine = kept({ notAfter: 5 });
  const ends = kept({ accountId: 'ac_2', notAfter: 7 });
  const later = kept({ accountId: 'ac_2', notAfter: 9 });
  const own = kept({ own: true, notAfter: 99 });
  expect(nextOf([...busy, mine, later, ends, own], 1, 6)).toBe(own);
  expect(nextOf([...busy, mine, later, ends], 1, 6)).toBe(ends);
  expect(nextOf([...busy, mine], 1, 6)).toBe(mine);
  expect(nextOf([...busy, mine], 1, 2)).toBeNull();
  expect(nextOf([kept({ dueAt: 2 })], 1, 6)).toBeNull();
});

test('a thousand names of one tenant that wait leave the others their turn', () => {
  const crowd = Array.from({ length: 1_000 }, () => kept({}));
  const running: Kept[] = [];
  const other = kept({ accountId: 'ac_2', dueAt: 1 });
  for (let place = 0; place < 8; place++) {
    const next = nextOf([...crowd, other], 1, 6);
    if (next === null) break;
    next.running = true;
    running.push(next);
  }
  expect(running).toContain(other);
  expect(running).toHaveLength(7);
});

test('renewals are at two thirds of a life, or a little before, so that they come apart', () => {
  const life = { notBefore: 0, notAfter: 90_000 };
  expect(renewalOf(life, 0)).toBe(60_000);
  expect(renewalOf(life, 0.999)).toBeGreaterThan(55_000);
});

test('the wish of an authority moves a renewal that is not within it, once; one that is over means now', () => {
  const info = { start: 100, end: 200, retryAfterMs: null };
  expect(renewalWithin(info, 500, 10, 0.5)).toBe(150);
  expect(renewalWithin(info, 150, 10, 0.9)).toBe(150);
  expect(renewalWithin(info, 500, 201, 0.5)).toBe(201);
});

test('what fails waits twice as long each time, up to an hour where nothing was ordered and a day where something was', () => {
  expect([1, 2, 3].map((attempts) => backoff(attempts, true, 0.5))).toEqual([60_000, 120_000, 240_000]);
  expect(backoff(50, false, 0.5)).toBe(3_600_000);
  expect(backoff(50, true, 0.5)).toBe(86_400_000);
  expect(backoff(1, true, 0)).toBeLessThan(backoff(1, true, 0.99));
});
