import type { AgentUpstream } from '@postern/link';
import { afterEach, expect, test, vi } from 'vitest';
import { KeptIndex, type Spare, Turn } from './kept.ts';

const yielded: string[] = [];

afterEach(() => {
  vi.restoreAllMocks();
  yielded.length = 0;
});

class Waiting implements Spare {
  readonly stream = null;
  readonly turn: Turn = new Turn(this);
  readonly upstream: AgentUpstream;
  readonly #name: string;

  constructor(sessionId: string, name = sessionId) {
    this.#name = name;
    this.upstream = { sessionId, tunnelId: 'tn_1', forwardsTo: '', protocol: 'http1', proxyProtocol: 0 };
  }

  yieldPlace(): void {
    yielded.push(this.#name);
  }
}

/** Entries that maps have been given and not lost again. */
function counted(): { readonly made: () => number; readonly left: () => number } {
  const set = vi.spyOn(Map.prototype, 'set');
  const gone = vi.spyOn(Map.prototype, 'delete');
  const made = (): number => set.mock.calls.length;
  return { made, left: () => made() - gone.mock.results.filter(({ value }) => value === true).length };
}

/** Something of the session is kept, and used again. */
function turn(index: KeptIndex, sessionId: string): void {
  const one = new Waiting(sessionId);
  index.add(one);
  index.remove(one);
}

test('the line of a session that empties again and again is made once', () => {
  const index = new KeptIndex();
  const { made } = counted();
  for (let i = 0; i < 100; i++) turn(index, 'ts_1');
  expect(made()).toBe(1);
});

test('a session that ends leaves nothing, and neither do thousands whose end is not told here', () => {
  const index = new KeptIndex();
  const { left } = counted();
  turn(index, 'ts_1');
  index.forgetGone('ts_1', 'tn_1');
  expect(left()).toBe(1);
  index.forgetGone('ts_1', null);
  expect(left()).toBe(0);
  index.add(new Waiting('ts_2'));
  index.forgetGone('ts_2', null);
  expect([left(), yielded]).toEqual([0, ['ts_2']]);
  for (let i = 0; i < 5_000; i++) turn(index, `away_${i}`);
  expect(left()).toBeLessThanOrEqual(256);
});

test('who waits longest goes first, also in a line that was empty, and behind thousands of others', () => {
  const index = new KeptIndex();
  turn(index, 'ts_1');
  index.add(new Waiting('ts_1', 'first'));
  for (let i = 0; i < 1_000; i++) turn(index, `away_${i}`);
  index.add(new Waiting('ts_1', 'second'));
  expect([index.evict('ts_1'), index.evict('ts_1'), index.evict('ts_1')]).toEqual([true, true, false]);
  expect(yielded).toEqual(['first', 'second']);
});
