import { expect, test } from 'vitest';
import { Dice } from '../../testing/dice.ts';
import { Pieces } from './pieces.ts';

test('pieces of every size come out as they went in, in few parts, while more are added', () => {
  const dice = new Dice(7);
  for (let round = 0; round < 50; round++) {
    const pieces = new Pieces();
    const given: Buffer[] = [];
    const parts: Buffer[] = [];
    for (let count = 0; count < 300; count++) {
      const chunk = Buffer.alloc(2 + dice.below(dice.once(20) ? 100_000 : 4), dice.below(256));
      pieces.add(chunk, 1, chunk.length);
      given.push(chunk.subarray(1));
      if (dice.once(50)) parts.push(...pieces.parts.slice(parts.length));
    }
    const all = Buffer.concat(given);
    expect(pieces.bytes).toBe(all.length);
    parts.push(...pieces.parts.slice(parts.length));
    expect(Buffer.concat(parts).equals(all)).toBe(true);
    expect(pieces.parts.length).toBeLessThan(80);
    expect(Buffer.concat(pieces.take()).equals(all)).toBe(true);
    expect([pieces.bytes, pieces.parts]).toEqual([0, []]);
  }
});
