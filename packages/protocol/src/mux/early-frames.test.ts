import { describe, expect, test } from 'vitest';
import { FrameType } from './frame.ts';
import { controlFrame, drain, openRecorded, parseFrames, settle, side } from './testing.ts';
import type { Side, StreamRecord } from './testing.ts';
import { MuxErrorCode, type MuxStream } from './types.ts';

type Call = StreamRecord & { stream: MuxStream };

/** A client with streams whose opening frames have left. */
function opened(count: number): { client: Side; calls: Call[] } {
  const client = side({ role: 'client' });
  const calls = Array.from({ length: count }, () => openRecorded(client.session, 3));
  drain(client.session);
  return { client, calls };
}

const frames = (bytes: Buffer): [number, string][] =>
  parseFrames(bytes).map(({ id, payload }) => [id, payload.toString('latin1')]);

const write = ({ stream }: Call, text: string): boolean => stream.writeShared(Buffer.from(text));

describe('small chunks in lent memory', () => {
  test('leave in the order in which they came; those of one stream that follow each other share a frame', () => {
    const { client, calls } = opened(2);
    for (const [at, text] of [
      [0, 'head '],
      [0, 'body'],
      [1, 'other'],
      [0, 'more'],
    ] as const) {
      const call = calls[at];
      if (call !== undefined) write(call, text);
    }
    expect(frames(drain(client.session))).toEqual([
      [3, 'head body'],
      [5, 'other'],
      [3, 'more'],
    ]);
  });

  test('are kept as they were', () => {
    const { client, calls } = opened(1);
    const lent = Buffer.from('first');
    calls[0]?.stream.writeShared(lent);
    lent.fill('x');
    expect(frames(drain(client.session))).toEqual([[3, 'first']]);
  });

  test('behind a large one of their stream wait for their turn', () => {
    const { client, calls } = opened(2);
    calls[0]?.stream.write(Buffer.alloc(20_000, 'a'));
    calls[0]?.stream.writeShared(Buffer.from('z'));
    calls[1]?.stream.writeShared(Buffer.from('early'));
    const left = frames(drain(client.session));
    expect(left.map(([id]) => id)).toEqual([5, 3, 3]);
    expect(left[1]?.[1]).toBe('a'.repeat(16_376));
    expect(left[2]?.[1]).toBe(`${'a'.repeat(20_000 - 16_376)}z`);
  });

  test('more than one pull has room for arrive whole and in order', () => {
    const client = side({ role: 'client' });
    const server = side({ role: 'server' });
    const call = openRecorded(client.session, 3);
    settle(client.session, server.session);
    const sent = Array.from({ length: 60 }, (_, at) => Buffer.alloc(4_000, at));
    for (const chunk of sent) call.stream.writeShared(chunk);
    expect(call.stream.queued).toBeGreaterThan(0);
    settle(client.session, server.session);
    expect(server.accepted[0]?.data.equals(Buffer.concat(sent))).toBe(true);
  });

  test('beyond the window are held back', () => {
    const { client, calls } = opened(1);
    calls[0]?.stream.write(Buffer.alloc(262_144 - 4 - 3));
    drain(client.session);
    calls[0]?.stream.writeShared(Buffer.from('12345'));
    expect(frames(drain(client.session))).toEqual([[3, '123']]);
    client.session.receive(controlFrame(FrameType.windowIncrement, 3, 100));
    expect(frames(drain(client.session))).toEqual([[3, '45']]);
  });

  test('of a stream that is reset before they leave do not', () => {
    const { client, calls } = opened(3);
    for (const text of ['a', 'b']) for (const call of calls) write(call, `${text}${call.stream.id}`);
    calls[1]?.stream.reset(MuxErrorCode.streamCancelled);
    client.session.receive(controlFrame(FrameType.reset, 7, 0));
    expect(calls[2]?.stream.unsent).toBe(4);
    calls[0]?.stream.writeShared(Buffer.from('c3'));
    const left = parseFrames(drain(client.session));
    expect(left.map(({ type, id, payload }) => [type, id, type === 1 ? payload.toString() : ''])).toEqual([
      [FrameType.data, 3, 'a3'],
      [FrameType.data, 3, 'b3'],
      [FrameType.data, 3, 'c3'],
      [FrameType.reset, 5, ''],
    ]);
    expect(client.session.framesSent).toBe(3 + 3);
  });

  test('leave before a reset that is to come behind them', () => {
    const { client, calls } = opened(1);
    calls[0]?.stream.writeShared(Buffer.from('last words'));
    calls[0]?.stream.resetBehind(MuxErrorCode.internal);
    expect(parseFrames(drain(client.session)).map(({ type, payload }) => [type, payload.toString('latin1')])).toEqual([
      [FrameType.data, 'last words'],
      [FrameType.reset, '\0\0\0\x02'],
    ]);
    expect([calls[0]?.stream.closed, calls[0]?.stream.unsent]).toEqual([true, 0]);
  });

  test('that never left are told when the session ends', () => {
    const { client, calls } = opened(2);
    calls[0]?.stream.writeShared(Buffer.from('12345'));
    calls[0]?.stream.write(Buffer.alloc(10_000));
    client.session.wireEnded('cut');
    expect(calls.map(({ stream }) => stream.unsent)).toEqual([10_005, 0]);
    expect(drain(client.session)).toHaveLength(0);
  });

  test('leave before GOAWAY, also when they came behind it', () => {
    const { client, calls } = opened(1);
    client.session.goAway(MuxErrorCode.none, '');
    calls[0]?.stream.writeShared(Buffer.from('last'));
    expect(parseFrames(drain(client.session)).map(({ type }) => type)).toEqual([FrameType.data, FrameType.goAway]);
  });
});
