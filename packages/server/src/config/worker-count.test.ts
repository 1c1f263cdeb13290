import { expect, test } from 'vitest';
import { ConfigError } from './config-error.ts';
import { SettingsReader } from './settings-reader.ts';
import { workerCount } from './worker-count.ts';

const of = (workers: string, cores = 8): number => workerCount(new SettingsReader([{ workers: [workers] }]), cores);

test('a number is taken as it is', () => {
  expect([of('0'), of('2', 1), of('64')]).toEqual([0, 2, 64]);
  for (const wrong of ['65', '-1', '1.5', 'all']) expect(() => of(wrong), wrong).toThrow(ConfigError);
});

test('auto follows the cores', () => {
  expect([1, 2, 3, 4, 16].map((cores) => of('auto', cores))).toEqual([0, 2, 3, 4, 4]);
});
