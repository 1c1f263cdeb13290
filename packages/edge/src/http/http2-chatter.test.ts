import { expect, test } from 'vitest';
import type { TimerWheel } from '../context.ts';
import { Http2Chatter } from './http2-chatter.ts';

/** A wheel whose one timer is turned by hand; `bytes` is what the connection has read. */
function bench(): { chatter: Http2Chatter; read: (bytes: number) => void; pass: () => number } {
  let bytes = 0;
  let complaints = 0;
  let period: (() => void) | null = null;
  const wheel: TimerWheel = {
    schedule(_, callback) {
      period = callback;
      return { cancel: () => {}, refresh: () => {}, age: () => 0 };
    },
  };
  const chatter = new Http2Chatter(
    wheel,
    () => bytes,
    () => (complaints += 1),
  );
  return {
    chatter,
    read: (more) => {
      bytes += more;
    },
    pass: () => {
      period?.();
      return complaints;
    },
  };
}

test('frames without purpose end the connection', () => {
  const { read, pass } = bench();
  read(10_000_000);
  expect(pass()).toBe(1);
});

test('bodies, heads and answers pay for what comes with them', () => {
  const { chatter, read, pass } = bench();
  for (let period = 0; period < 100; period++) {
    read(50_000_000);
    chatter.body(49_950_000);
    chatter.head(['x'.repeat(1_000), 'y']);
    read(900_000);
    chatter.answered(900_000 * 16);
    expect(pass()).toBe(0);
  }
});

test('a little of it is for ever in order, and silence saves no more than the start', () => {
  const { read, pass } = bench();
  for (let period = 0; period < 1_000; period++) {
    read(100_000);
    expect(pass()).toBe(0);
  }
  for (let period = 0; period < 1_000; period++) expect(pass()).toBe(0);
  read(600_000);
  expect(pass()).toBe(0);
  read(600_000);
  expect(pass()).toBe(1);
});
