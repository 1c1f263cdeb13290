import { expect, test } from 'vitest';
import type { Sample } from '../bench/measure.ts';
import { requestRatios } from '../bench/ratios.ts';

const sample = (cpu: readonly number[], quietP50: number): Sample => ({
  requestsPerSecond: 1,
  cpu,
  p50: 1,
  p99: 1,
  quietP50,
  quietP99: 1,
  errors: 0,
});

test('a ratio is the median of the rounds’ own ratios, with their range', () => {
  const samples = new Map([
    ['direct', [sample([], 10), sample([], 10), sample([], 10)]],
    ['nginx-twice', [sample([10, 10], 30), sample([20, 20], 30), sample([10, 10], 30)]],
    ['http', [sample([12, 4], 40), sample([20, 12], 50), sample([20, 20], 40)]],
  ]);
  const ratios = requestRatios(samples);
  const of = (text: string): object | undefined => ratios.find((ratio) => ratio.text === text);
  expect(of('http through an agent ÷ nginx twice')).toMatchObject({ value: 0.8, least: 0.8, most: 2, aim: 0.8 });
  expect(of('added p50 at one connection ÷ nginx twice')).toMatchObject({ value: 1.5, least: 1.5, most: 2 });
});

test('what has not been measured is no ratio', () => {
  expect(requestRatios(new Map([['http', [sample([1], 1)]]]))).toEqual([]);
});
