import { describe, expect, test } from 'vitest';
import type { TimerHandle, TimerWheel } from '../context.ts';
import { type SilenceHost, SilenceWatch } from './silence-watch.ts';

/** A watch over an agent that beats every 10 s, by a clock of the test's. */
function watched(): {
  advance(ms: number): void;
  bytes: number;
  unanswered: boolean;
  readonly beats: number[];
  readonly ends: number[];
} {
  let now = 0;
  let look: () => void = () => {};
  const handle: TimerHandle = { cancel() {}, refresh() {}, age: () => 0 };
  const wheel: TimerWheel = {
    schedule(_ms, callback) {
      look = callback;
      return handle;
    },
  };
  const beats: number[] = [];
  const ends: number[] = [];
  const state = {
    bytes: 0,
    unanswered: false,
    beats,
    ends,
    advance(ms: number): void {
      for (const end = now + ms; now < end && ends.length === 0;) {
        now += 1_000;
        look();
      }
    },
  };
  const host: SilenceHost = {
    now: () => now,
    get bytesReceived() {
      return state.bytes;
    },
    get unanswered() {
      return state.unanswered;
    },
    beat: () => void beats.push(now),
    silent: () => void ends.push(now),
  };
  const watch = new SilenceWatch(host, wheel, { interval: 10_000, tolerance: 15_000 }, 5_000);
  expect(watch.limitMs).toBe(26_000);
  return state;
}

describe('an agent that closed without a word', () => {
  test('is found out within seconds when a visitor waits for it', () => {
    const agent = watched();
    agent.unanswered = true;
    agent.advance(30_000);
    expect(agent.beats[0]).toBe(1_000);
    expect(agent.ends).toEqual([7_000]);
  });

  test('has its whole time when nobody does', () => {
    const agent = watched();
    agent.advance(60_000);
    expect(agent.ends).toEqual([27_000]);
  });

  test('and one that answers within that time stays, however long the visitor waits', () => {
    const agent = watched();
    for (let second = 0; second < 60; second += 4) {
      agent.unanswered = true;
      agent.advance(4_000);
      agent.bytes += 4;
      agent.unanswered = false;
      agent.advance(1_000);
    }
    expect(agent.ends).toEqual([]);
  });
});
