/** Streams that a peer keeps after they have been reset: told, reset, and counted until it has let go. */
import { describe, expect, test } from 'vitest';
import { DataFlag } from './frame.ts';
import { createMuxSession } from './session.ts';
import { dataFrame, drain, openRecorded, packed } from './testing.ts';
import type { MuxSession } from './types.ts';

interface Slow {
  readonly session: MuxSession;
  readonly over: number[];
  readonly clock: { ms: number };
}

/** A server's session with a slow peer. */
function slow(): Slow {
  const over: number[] = [];
  const clock = { ms: 0 };
  const session = createMuxSession(
    { role: 'server', nudge: false, now: () => clock.ms },
    { onStream: () => {}, onStreamOver: (stream) => over.push(stream.id), onOutput: () => {}, onEnd: () => {} },
  );
  session.leaving.slow = true;
  return { session, over, clock };
}

const hex = (bytes: Buffer): string => bytes.toString('hex');

function opened(session: MuxSession): ReturnType<typeof openRecorded> {
  const call = openRecorded(session, 3, Buffer.from('x'));
  drain(session);
  return call;
}

const FIN_AND_GRANT = '0000001100000002 0000042000000002 00000001';
const RESET_AND_GRANT = '0000040000000002 00000006 0000042000000002 00000001';

describe('a stream that is reset', () => {
  test('is told first, reset when it goes on, and free when that is known to have arrived', () => {
    const { session, over } = slow();
    opened(session).stream.reset(6);
    expect(hex(drain(session))).toBe(packed(FIN_AND_GRANT));
    expect([session.streamCount, session.leaving.unsettled, over]).toEqual([1, 0, []]);
    const early = session.leaving.mark();
    session.receive(dataFrame(2, 'on it goes'));
    expect(hex(drain(session))).toBe(packed(RESET_AND_GRANT));
    session.receive(dataFrame(2, 'and on'));
    expect(drain(session)).toHaveLength(0);
    session.leaving.settle(early);
    expect([session.streamCount, session.leaving.unsettled]).toEqual([1, 1]);
    session.leaving.settle(session.leaving.mark());
    expect([session.streamCount, session.leaving.unsettled, over]).toEqual([0, 0, [2]]);
  });

  test('is free when the peer ends it, and its FIN is not repeated', () => {
    const { session, over } = slow();
    const { stream } = opened(session);
    stream.end();
    drain(session);
    stream.reset(6);
    expect(hex(drain(session))).toBe(packed('0000042000000002 00000001'));
    session.receive(dataFrame(2, 'the rest', DataFlag.fin));
    expect([session.streamCount, over]).toEqual([0, [2]]);
    expect(drain(session)).toHaveLength(0);
  });

  test('whose peer has ended its side already is over at once', () => {
    const { session, over } = slow();
    const { stream } = opened(session);
    session.receive(dataFrame(2, '', DataFlag.fin));
    stream.reset(6);
    expect([session.streamCount, over]).toEqual([0, [2]]);
  });

  test('and that the peer never leaves is given up in the end', () => {
    const side = slow();
    opened(side.session).stream.reset(6);
    drain(side.session);
    side.clock.ms = 1_000;
    side.session.leaving.expire(1_001);
    expect(side.over).toEqual([]);
    side.session.leaving.expire(1_000);
    expect(side.over).toEqual([2]);
    expect(hex(drain(side.session))).toBe(packed(RESET_AND_GRANT));
  });

  test('is free with the session', () => {
    const { session, over } = slow();
    opened(session).stream.reset(6);
    session.destroy(0, 'over');
    expect([session.streamCount, over]).toEqual([0, [2]]);
  });
});
