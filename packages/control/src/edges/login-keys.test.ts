import { expect, test } from 'vitest';
import { createSecretBox } from '@postern/store';
import { loginKeys } from './login-keys.ts';

const WEEK = 7 * 86_400_000;
const sign = (text: string): string => createSecretBox(new Uint8Array(32).fill(1)).sign(text);
const NOW = 2_900 * WEEK + 5;

test('are those of this week and five before, the same whenever they are asked for', () => {
  const keys = loginKeys(NOW, sign);
  expect(keys.map(({ id }) => id)).toEqual([2_900, 2_899, 2_898, 2_897, 2_896, 2_895]);
  for (const { key } of keys) expect(key.length).toBe(32);
  expect(new Set(keys.map(({ key }) => Buffer.from(key).toString('hex'))).size).toBe(6);
  expect(loginKeys(NOW + 1_000, sign)).toEqual(keys);
  const later = loginKeys(NOW + WEEK, sign);
  expect(later.slice(1)).toEqual(keys.slice(0, 5));
  expect(later[0]?.key).not.toEqual(keys[0]?.key);
});

test('are others in another installation', () => {
  const other = (text: string): string => createSecretBox(new Uint8Array(32).fill(2)).sign(text);
  expect(loginKeys(NOW, other)[0]?.key).not.toEqual(loginKeys(NOW, sign)[0]?.key);
});

test('of a clock at its beginning are as many as there are weeks', () => {
  expect(loginKeys(0, sign)).toHaveLength(1);
});
