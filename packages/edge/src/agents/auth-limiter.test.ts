import { expect, test } from 'vitest';
import { AuthLimiter } from './auth-limiter.ts';

test('failures slow an address down, success and time forgive', () => {
  let now = 0;
  const limiter = new AuthLimiter(() => now);
  for (let i = 0; i < 20; i++) limiter.failed('a');
  expect(limiter.delay('a')).toBe(0);
  for (let i = 0; i < 4; i++) limiter.failed('a');
  expect(limiter.delay('a')).toBe(1_000);
  expect(limiter.delay('b')).toBe(0);
  for (let i = 0; i < 1_000; i++) limiter.failed('a');
  expect(limiter.delay('a')).toBe(5_000);
  now = 60_001;
  expect(limiter.delay('a')).toBe(0);
  limiter.failed('a');
  expect(limiter.delay('a')).toBe(0);
  for (let i = 0; i < 30; i++) limiter.failed('b');
  limiter.succeeded('b');
  expect(limiter.delay('b')).toBe(0);
});

test('an IPv6 network is one address', () => {
  const limiter = new AuthLimiter(() => 0);
  for (let i = 0; i < 100; i++) limiter.failed(`2001:db8:1:2::${i.toString(16)}`);
  expect(limiter.delay('2001:db8:1:2:ffff::1')).toBe(5_000);
  expect(limiter.delay('2001:db8:1:3::1')).toBe(0);
});
