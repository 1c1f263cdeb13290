import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DataFlag, FrameType, HEADER_BYTES, writeFrameHeader } from './frame.ts';
import { controlFrame, dataFrame, drain, openRecorded, packed, parseFrames, side, synFrame } from './testing.ts';
import { MuxErrorCode } from './types.ts';

function header(type: number, flags: number, id: number, length: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  writeFrameHeader(bytes, 0, type, flags, id, length);
  return bytes;
}

describe('a peer that breaks the rules loses its own session', () => {
  const cases: [string, Buffer, number][] = [
    ['SYN with an id of this side', synFrame(2, 0), MuxErrorCode.protocol],
    ['SYN for an open stream', Buffer.concat([synFrame(3, 0), synFrame(3, 0)]), MuxErrorCode.protocol],
    ['DATA on stream 0', dataFrame(0, 'x'), MuxErrorCode.protocol],
    ['RST on stream 0', controlFrame(FrameType.reset, 0, 1), MuxErrorCode.protocol],
    ['WNDINC on stream 0', controlFrame(FrameType.windowIncrement, 0, 1), MuxErrorCode.protocol],
    ['RST of 5 bytes', header(FrameType.reset, 0, 3, 5), MuxErrorCode.frameSize],
    ['WNDINC of 16 MB', header(FrameType.windowIncrement, 0, 3, 0xffffff), MuxErrorCode.frameSize],
  ];
  test.each(cases)('%s', (_name, bytes, code) => {
    const server = side({ role: 'server' });
    server.session.receive(bytes);
    expect(server.end?.code).toBe(code);
    const [goAway, ...rest] = parseFrames(drain(server.session));
    expect(goAway?.type).toBe(FrameType.goAway);
    expect(goAway?.payload.readUInt32BE(4)).toBe(code);
    expect(rest).toEqual([]);
  });

  const floods: [string, (i: number) => Buffer][] = [
    ['empty frames', () => dataFrame(3, '')],
    ['empty frames for unknown streams', (i) => dataFrame(101 + 2 * i, '')],
    ['payload for unknown streams', (i) => dataFrame(101 + 2 * i, 'x')],
    ['RST for unknown streams', (i) => controlFrame(FrameType.reset, 101 + 2 * i, 0)],
    ['SYN and RST at once', (i) => Buffer.concat([synFrame(101 + 2 * i, 0), controlFrame(0, 101 + 2 * i, 0)])],
    ['SYN beyond the cap', (i) => synFrame(101 + 2 * i, 0)],
    ['SYN without type', (i) => dataFrame(101 + 2 * i, '', DataFlag.syn)],
    ['WNDINC that nothing was sent for', () => controlFrame(FrameType.windowIncrement, 3, 1)],
    ['WNDINC of zero', () => controlFrame(FrameType.windowIncrement, 3, 0)],
    ['frames of an unknown type', () => header(9, 0, 3, 0)],
  ];
  test.each(floods)('a flood of %s', (_name, frame) => {
    const server = side({ role: 'server' });
    server.session.receive(synFrame(3, 0));
    let sent = 0;
    while (server.end === undefined && sent < 30_000) server.session.receive(frame(sent++));
    expect(server.end?.code).toBe(MuxErrorCode.enhanceYourCalm);
    expect(server.session.streamCount).toBe(0);
  });

  test('the 513th stream is refused with RST(9) and room comes back', () => {
    const server = side({ role: 'server', nudge: false });
    for (let i = 0; i < 512; i++) server.session.receive(synFrame(3 + 2 * i, 0));
    expect(drain(server.session)).toHaveLength(0);
    server.session.receive(synFrame(2001, 0));
    expect(drain(server.session).toString('hex')).toBe(packed('00000400000007d1 00000009'));
    server.session.receive(controlFrame(FrameType.reset, 3, 0));
    server.session.receive(synFrame(2003, 0));
    expect(server.accepted).toHaveLength(513);
    expect(server.session.streamCount).toBe(512);
  });

  test('grants for a stream that is over pass as far as they answer bytes that were sent', () => {
    const server = side({ role: 'server' });
    const calls = [1, 2, 3].map(() => openRecorded(server.session, 3, Buffer.alloc(200_000)));
    drain(server.session);
    for (const { stream } of calls) stream.end();
    drain(server.session);
    for (const { stream } of calls) server.session.receive(dataFrame(stream.id, 'bye', DataFlag.fin));
    expect(server.session.streamCount).toBe(0);
    // Piece by piece, as a program reads that takes its time: 37,500 grants and not one of them for nothing.
    for (let left = 600_000; left > 0; left -= 16) {
      server.session.receive(controlFrame(FrameType.windowIncrement, 2, 16));
    }
    expect(server.end).toBeUndefined();
    let more = 0;
    while (server.end === undefined && more < 30_000) {
      server.session.receive(controlFrame(FrameType.windowIncrement, 2, 16));
      more += 1;
    }
    expect(server.end?.code).toBe(MuxErrorCode.enhanceYourCalm);
  });

  test('what was on its way to a stream that was reset passes, however often; in tiny pieces it is a flood', () => {
    const server = side({ role: 'server', nudge: false });
    const opened = (): number => {
      const { stream } = openRecorded(server.session, 3, Buffer.from('x'));
      drain(server.session);
      stream.reset(MuxErrorCode.streamCancelled);
      drain(server.session);
      return stream.id;
    };
    for (let i = 0; i < 3_000; i++) {
      const id = opened();
      for (let at = 0; at < 8; at++) server.session.receive(dataFrame(id, Buffer.alloc(16_000)));
      drain(server.session);
    }
    expect(server.end).toBeUndefined();
    let sent = 0;
    const id = opened();
    while (server.end === undefined && sent < 1_000_000) {
      server.session.receive(dataFrame(id, 'x'));
      sent += 1;
    }
    expect(server.end?.code).toBe(MuxErrorCode.enhanceYourCalm);
    // All that is remembered, at the price of a kibibyte a frame, and the patience for what has no use.
    expect(sent).toBeLessThan(80_000);
  });

  test('short streams are work, however many', () => {
    const server = side({ role: 'server' });
    for (let i = 0; i < 20_000; i++) {
      const id = 3 + 2 * i;
      server.session.receive(synFrame(id, 8));
      server.session.receive(dataFrame(id, '{}'));
      server.accepted.at(-1)?.stream?.end(Buffer.from('{"Region":"us"}'));
      drain(server.session);
      server.session.receive(dataFrame(id, '', DataFlag.fin));
      server.accepted.length = 0;
    }
    expect(server.end).toBeUndefined();
    expect(server.session.streamCount).toBe(0);
  });

  test('with a clock, frames of no use are forgiven over time, and a flood is not', () => {
    let now = 0;
    const server = side({ role: 'server', now: () => now });
    server.session.receive(synFrame(3, 0));
    for (let i = 0; i < 100_000; i++) {
      now += 10;
      server.session.receive(controlFrame(FrameType.reset, 101, 0));
    }
    expect(server.end).toBeUndefined();
    let sent = 0;
    while (server.end === undefined && sent < 30_000) {
      now += 0.1;
      sent += 1;
      server.session.receive(controlFrame(FrameType.reset, 101, 0));
    }
    expect(server.end?.code).toBe(MuxErrorCode.enhanceYourCalm);
  });

  test('an id that is used again after a reset is a stream of its own, told of the end of the session', () => {
    const server = side({ role: 'server', nudge: false });
    server.session.receive(synFrame(3, 0));
    // Waits for its turn to send when the peer resets it.
    server.accepted[0]?.stream?.write(Buffer.from('late'));
    server.session.receive(controlFrame(FrameType.reset, 3, 0));
    server.session.receive(synFrame(3, 5));
    expect(parseFrames(drain(server.session))).toEqual([]);
    expect(server.session.streamCount).toBe(1);
    server.session.receive(dataFrame(3, 'hello'));
    expect(server.accepted[1]?.data.toString()).toBe('hello');
    server.session.wireEnded('gone');
    expect(server.accepted[1]?.reset).toBe(MuxErrorCode.peerEof);
    expect(server.accepted[1]?.stream?.writable).toBe(false);
  });

  test('normal traffic never uses up the patience', () => {
    const server = side({ role: 'server' });
    const call = openRecorded(server.session, 3, Buffer.from('x'), { consume: true });
    drain(server.session);
    // A reader that grants tiny amounts of what it got, and answers with tiny frames.
    for (let i = 0; i < 40_000; i++) {
      call.stream.write(Buffer.from('abcd'));
      drain(server.session);
      server.session.receive(Buffer.concat([controlFrame(2, 2, 2), controlFrame(2, 2, 2), dataFrame(2, 'y')]));
    }
    expect(server.end).toBeUndefined();
  });
});

describe('any bytes', () => {
  test('unknown frame types are skipped with their payload', () => {
    const server = side({ role: 'server', nudge: false });
    const unknown = Buffer.concat([header(7, 15, 0, 70_000), Buffer.alloc(70_000, 0x33)]);
    server.session.receive(unknown.subarray(0, 30_000));
    server.session.receive(unknown.subarray(30_000));
    server.session.receive(synFrame(3, 5, 'hello'));
    expect(server.accepted[0]?.data.toString()).toBe('hello');
    expect(drain(server.session)).toHaveLength(0);
  });

  test('the top bit of a stream id is ignored', () => {
    const server = side({ role: 'server' });
    const frame = synFrame(3, 5, 'hi');
    frame.writeUInt8(0x80, 4);
    server.session.receive(frame);
    expect(server.accepted[0]?.stream?.id).toBe(3);
  });

  test('random bytes and random frames end a session or not, but never throw', () => {
    const id = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 0x7fffffff }));
    const frame = fc
      .record({ type: fc.nat(15), flags: fc.nat(15), id, payload: fc.uint8Array({ maxLength: 40 }) })
      .map((f) => Buffer.concat([header(f.type, f.flags, f.id, f.payload.length), f.payload]));
    const piece = fc.oneof(
      { weight: 9, arbitrary: frame },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)) },
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 60, size: 'max' }),
        fc.constantFrom('client', 'server'),
        (pieces, role) => {
          const made = side({ role });
          openRecorded(made.session, 3, Buffer.from('x'));
          for (const bytes of pieces) made.session.receive(bytes);
          drain(made.session);
          const records = made.accepted.filter((record) => record.ended || record.reset !== undefined);
          expect(made.session.streamCount).toBeLessThanOrEqual(pieces.length + 1);
          if (made.session.ended) {
            expect(made.session.streamCount).toBe(0);
            expect(records.length).toBe(made.accepted.length);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
