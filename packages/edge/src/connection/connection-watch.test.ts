import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import type { TimerWheel } from '../context.ts';
import { ConnectionWatch } from './connection-watch.ts';
import { GONE } from './send-queues.ts';

/** A watch whose one timer is turned by hand: `looks(n)` passes so many quarters of a stall (10 of them are idleness). */
function watched(): {
  watch: ConnectionWatch;
  looks: (count: number) => Promise<string[]>;
  set: (pending: number, queued: number | null) => void;
} {
  const said: string[] = [];
  const state: { pending: number; queued: number | null } = { pending: 0, queued: 0 };
  let look = (): void => {};
  const wheel: TimerWheel = {
    schedule(ms, callback) {
      expect(ms).toBe(100);
      look = callback;
      return { cancel: () => {}, refresh: () => {}, age: () => 0 };
    },
  };
  const watch = new ConnectionWatch(
    wheel,
    { idleMs: 1_000, stallMs: 400 },
    {
      socket: new Socket(),
      pending: () => state.pending,
      idle: () => void said.push('idle'),
      stalled: () => void said.push('stalled'),
    },
    { of: () => Promise.resolve(state.queued) },
  );
  return {
    watch,
    looks: async (count) => {
      for (let at = 0; at < count; at++) {
        look();
        await new Promise(setImmediate);
      }
      return said.splice(0);
    },
    set: (pending, queued) => Object.assign(state, { pending, queued }),
  };
}

test('nothing moves: idle', async () => {
  const { looks } = watched();
  expect(await looks(9)).toEqual([]);
  expect(await looks(1)).toEqual(['idle']);
});

test('bytes wait and neither we nor the system get rid of any: stalled', async () => {
  const { looks, set } = watched();
  set(1_000, 5_000);
  expect(await looks(4)).toEqual([]);
  expect(await looks(1)).toEqual(['stalled']);
});

test('a slow reader, of whom only the system knows, is neither stalled nor idle', async () => {
  const { looks, set } = watched();
  for (let queued = 100_000; queued > 0; queued -= 1_000) {
    set(1_000, queued);
    expect(await looks(3)).toEqual([]);
  }
});

test('so is one who accepts something now and then', async () => {
  const { watch, looks, set } = watched();
  set(1_000, 5_000);
  for (let round = 0; round < 20; round++) {
    expect(await looks(4)).toEqual([]);
    watch.accepted();
  }
});

test('a connection that the system does not know any more ends at once; where it tells nothing, idleness decides', async () => {
  const { looks, set } = watched();
  set(1_000, GONE);
  expect(await looks(1)).toEqual(['stalled']);
  const other = watched();
  other.set(1_000, null);
  expect(await other.looks(10)).toEqual(['idle']);
});
