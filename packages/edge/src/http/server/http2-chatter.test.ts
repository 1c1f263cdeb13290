import { describe, expect, test } from 'vitest';
import type { TimerWheel } from '../../context.ts';
import { Http2Chatter } from './http2-chatter.ts';

/** A wheel whose one timer is turned by hand; `bytes` is what the connection has read. */
function create(): {
  chatter: Http2Chatter;
  read: (bytes: number) => void;
  pass: () => number;
  complaints: () => number;
} {
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
    complaints: () => complaints,
  };
}

test('frames without purpose end the connection', () => {
  const { read, pass } = create();
  read(10_000_000);
  expect(pass()).toBe(1);
});

test('bodies, heads and answers pay for what comes with them', () => {
  const { chatter, read, pass } = create();
  for (let period = 0; period < 100; period++) {
    read(50_000_000);
    chatter.body(49_950_000);
    chatter.head(1_001);
    read(900_000);
    chatter.answered(900_000 * 16);
    expect(pass()).toBe(0);
  }
});

test('a little of it is for ever in order, and silence saves no more than the start', () => {
  const { read, pass } = create();
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

describe('lawful work goes on', () => {
  /** A minute of it, in turns of the period. */
  function minute(turn: (made: ReturnType<typeof create>) => void): number {
    const made = create();
    let complaints = 0;
    for (let period = 0; period < 30; period++) {
      turn(made);
      complaints = made.pass();
    }
    return complaints;
  }

  test('25,000 messages of 20 bytes a second on one stream', () => {
    const turn = ({ chatter, read }: ReturnType<typeof create>): void => {
      for (let frame = 0; frame < 50_000; frame++) chatter.body(20);
      read(50_000 * 29);
    };
    expect(minute(turn)).toBe(0);
  });

  test('100 cancelled calls a second', () => {
    const turn = ({ chatter, read }: ReturnType<typeof create>): void => {
      for (let call = 0; call < 200; call++) {
        chatter.head(200);
        chatter.reset(200);
      }
      read(200 * 60);
    };
    expect(minute(turn)).toBe(0);
  });

  test('a ping with every burst of data, and with every call that is over', () => {
    const turn = ({ chatter, read }: ReturnType<typeof create>): void => {
      for (let call = 0; call < 10_000; call++) {
        chatter.head(200);
        chatter.answered(20);
        chatter.completed();
        chatter.ping();
      }
      read(10_000 * (60 + 17 + 26));
    };
    expect(minute(turn)).toBe(0);
  });

  test('answers in small pieces, each with two window updates', () => {
    const turn = ({ chatter, read }: ReturnType<typeof create>): void => {
      for (let piece = 0; piece < 50_000; piece++) chatter.answered(20);
      read(50_000 * 26);
    };
    expect(minute(turn)).toBe(0);
  });
});

describe('waste ends the connection at once', () => {
  test.each([
    ['resets', 401, ({ chatter }: ReturnType<typeof create>) => chatter.reset(0)],
    ['pings', 15_000, ({ chatter }: ReturnType<typeof create>) => chatter.ping()],
    ['settings', 600, ({ chatter }: ReturnType<typeof create>) => chatter.settings()],
  ])('%s', (_, count, one) => {
    const made = create();
    for (let at = 0; at < count; at++) one(made);
    expect(made.complaints()).toBeGreaterThan(0);
  });

  test('a byte in each frame, a million times', () => {
    const { chatter, read, pass } = create();
    for (let frame = 0; frame < 1_000_000; frame++) chatter.body(1);
    read(10_000_000);
    expect(pass()).toBe(1);
  });
});
