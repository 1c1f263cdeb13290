import { expect, it } from 'vitest';
import { inferContentType } from './content-type.ts';

it('guesses a content type in time that grows with the text, not with its square', () => {
  const timeOf = (text: string): number => {
    let least = Infinity;
    for (let times = 0; times < 3; times++) {
      const before = process.cpuUsage();
      inferContentType(text);
      const { user, system } = process.cpuUsage(before);
      least = Math.min(least, user + system);
    }
    return least;
  };
  const letters = Math.max(timeOf(`<x>${'aaa'.repeat(100_000)}`), 1_000);
  for (const part of ['</a', '<a>', '</a>', '< /', '>', ' ']) {
    expect([part, timeOf(`<x>${part.repeat(100_000)}y`) / letters < 100]).toEqual([part, true]);
  }
  expect(inferContentType('<x>1</x>')).toMatch(/xml/);
  expect(inferContentType('<x>1</x> and more')).toMatch(/plain/);
});
