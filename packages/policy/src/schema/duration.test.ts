import * as z from 'zod/mini';
import { describe, expect, it } from 'vitest';
import { duration, readDuration } from './duration.ts';
import { readConfig } from './problems.ts';

describe('durations', () => {
  it.each([
    ['90s', 90_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['.5m', 30_000],
    ['1m0.25s', 60_250],
    ['5\u00b5s', 0.005],
    ['5\u03bcs', 0.005],
    ['1h1m1s1ms1us1ns', 3_661_001.001001],
    [60_000_000_000, 60_000],
    ['60000000000', 60_000],
    ['0', 0],
  ])('reads %s', (written, ms) => {
    expect(readDuration(written)).toBe(ms);
  });

  it.each([
    '',
    'soon',
    '1',
    '90 s',
    '-90s',
    '+1s',
    '1d',
    '1h-30m',
    '.s',
    's',
    '1s '.repeat(3),
    `${'9'.repeat(30)}s`,
    NaN,
    true,
    null,
    ['1s'],
  ])('does not take %s for one of minutes', (written) => {
    const problem = (): unknown => readConfig(z.strictObject({ d: duration(60_000, 120_000) }), { d: written }, 'x');
    expect(problem).toThrow(/^x\.d: /);
  });

  it('keeps within bounds, and says which', () => {
    const schema = z.strictObject({ d: duration(60_000, 86_400_000, 10_000) });
    const read = (d?: unknown): unknown => readConfig(schema, d === undefined ? {} : { d }, 'x');
    expect(read('1h30m')).toEqual({ d: 5_400_000 });
    expect(() => read('59s')).toThrow('x.d: 59s is outside 1m to 24h.');
    expect(() => read('25h')).toThrow('x.d: 25h is longer than 24h.');
    expect(() => read('65s')).toThrow('x.d: 65s is no multiple of 10s.');
    expect(() => read()).toThrow('x: the field "d" is needed.');
  });
});
