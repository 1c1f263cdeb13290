import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

test('of many who have long work one does a slice in each turn of the event loop, each as often as the others', async () => {
  const turns = new Turns();
  let slicesOfTurn = 0;
  let most = 0;
  let running = true;
  const watch = (): void => {
    slicesOfTurn = 0;
    if (running) setImmediate(watch);
  };
  setImmediate(watch);
  const done = Array.from({ length: 5 }, () => 0);
  await Promise.all(
    done.map(async (_none, who) => {
      for (let slice = 0; slice < 20; slice++) {
        await turns.next();
        slicesOfTurn += 1;
        most = Math.max(most, slicesOfTurn);
        done[who] = slice;
        // Nobody is a slice ahead of those who came before.
        expect(Math.max(...done) - Math.min(...done)).toBeLessThan(2);
      }
    }),
  );
  running = false;
  expect(most).toBe(1);
});
