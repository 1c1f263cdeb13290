import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import type { TimerWheel } from '../../context.ts';
import { GONE } from '../../connection/send-queues.ts';
import { Http2Watch, type Watched } from './http2-watch.ts';

interface Stream extends Watched {
  hasPending: boolean;
}

/** A watch that is turned by hand: four ticks are a stall, ten are idleness. `bytes` come when the visitor is asked. */
function watched(answersProbes: boolean) {
  const said: string[] = [];
  const state = { bytes: 0, queued: 7 as number | null };
  let tick = (): void => {};
  const wheel: TimerWheel = {
    schedule(_, callback) {
      tick = callback;
      return { cancel: () => {}, refresh: () => {}, age: () => 0 };
    },
  };
  const socket = new Socket();
  Object.defineProperty(socket, 'bytesRead', { get: () => state.bytes });
  const asked = new Set<string>();
  for (const end of ['localPort', 'remotePort']) {
    Object.defineProperty(socket, end, { get: () => void asked.add(end) });
  }
  const streams = new Set<Stream>();
  const watch = new Http2Watch<Stream>(
    wheel,
    { idleMs: 1_000, stallMs: 400 },
    socket,
    streams,
    {
      late: (stream, pinged) => {
        said.push(pinged ? 'late, pinged' : 'late');
        stream.quiet = 0;
      },
      idle: () => void said.push('idle'),
      probe: () => {
        if (answersProbes) state.bytes += 17;
      },
      vanished: () => void said.push('vanished'),
    },
    { of: () => Promise.resolve(state.queued) },
  );
  const open = (hasPending: boolean): Stream => {
    const stream: Stream = {
      quiet: 0,
      stalled: 0,
      hasPending,
      cut: (reason) => {
        said.push(`cut ${reason}`);
        streams.delete(stream);
      },
    };
    streams.add(stream);
    return stream;
  };
  const ticks = async (count: number): Promise<string[]> => {
    for (let at = 0; at < count; at++) {
      tick();
      await new Promise(setImmediate);
    }
    return said.splice(0);
  };
  return { asked, watch, open, ticks, state };
}

test('a stream of which nothing is taken is cut where the visitor is there, and with it the connection where not', async () => {
  const there = watched(true);
  there.open(true);
  expect(await there.ticks(4)).toEqual([]);
  expect(await there.ticks(1)).toEqual(['cut client-gone']);
  const gone = watched(false);
  gone.open(true);
  expect(await gone.ticks(5)).toEqual(['vanished']);
});

test('a silent service makes its stream late, and no other', async () => {
  const { open, ticks } = watched(true);
  const busy = open(false);
  open(false);
  for (let at = 0; at < 10; at++) {
    busy.quiet = 0;
    expect(await ticks(1)).toEqual([]);
  }
  busy.quiet = 0;
  expect(await ticks(1)).toEqual(['late']);
});

test('pings are told of', async () => {
  const { watch, open, ticks } = watched(true);
  open(false);
  await ticks(5);
  watch.pinged();
  expect(await ticks(6)).toEqual(['late, pinged']);
});

test('without a stream a connection is idle, unless its visitor pings', async () => {
  const { watch, ticks } = watched(true);
  for (let at = 0; at < 3; at++) {
    expect(await ticks(9)).toEqual([]);
    watch.pinged();
  }
  expect(await ticks(10)).toEqual([]);
  expect(await ticks(1)).toEqual(['idle']);
});

test('a reader so slow that only the system knows of it goes on', async () => {
  const { open, ticks, state } = watched(false);
  const stream = open(true);
  for (let at = 0; at < 40; at++) {
    stream.quiet = 0;
    state.queued = 10_000 - at;
    expect(await ticks(1)).toEqual([]);
  }
});

test('a connection that the system does not know any more ends', async () => {
  const { open, ticks, state } = watched(true);
  open(true);
  state.queued = GONE;
  expect(await ticks(2)).toContain('vanished');
});

test('asks for the ends of its connection while that is there: the system names none of one that was reset', () => {
  expect(watched(true).asked).toEqual(new Set(['localPort', 'remotePort']));
});
