import { describe, expect, test } from 'vitest';
import { DataFlag, FrameType, NUDGE_STREAM_ID } from './frame.ts';
import { MuxSessionEnded } from './session.ts';
import {
  controlFrame,
  dataFrame,
  drain,
  openRecorded,
  packed,
  parseFrames,
  settle,
  side,
  synFrame,
} from './testing.ts';
import { MuxErrorCode } from './types.ts';

const hex = (bytes: Buffer): string => bytes.toString('hex');

describe('opening', () => {
  test('a client opens 3, 5, …; type and first bytes share the SYN frame', () => {
    const { session } = side({ role: 'client' });
    openRecorded(session, 0, Buffer.from('{}'));
    expect(hex(drain(session))).toBe(packed('0000061200000003 00000000 7b7d'));
    openRecorded(session, 0xffffffff);
    expect(hex(drain(session))).toBe(packed('0000041200000005 ffffffff'));
  });

  test('a server opens 2, 4, …', () => {
    const { session } = side({ role: 'server' });
    openRecorded(session, 3, Buffer.from('x'));
    openRecorded(session, 3);
    expect(parseFrames(drain(session)).map((frame) => frame.id)).toEqual([2, 4]);
  });

  test('FIN never shares the SYN frame', () => {
    const { session } = side({ role: 'server' });
    openRecorded(session, 3).stream.end(Buffer.from('all'));
    expect(parseFrames(drain(session)).map((frame) => [frame.flags, frame.payload.length])).toEqual([
      [DataFlag.syn, 7],
      [DataFlag.fin, 0],
    ]);
  });

  test('the opening frame is not split when the buffer runs out', () => {
    const { session } = side({ role: 'server' });
    openRecorded(session, 3, Buffer.alloc(300));
    openRecorded(session, 3, Buffer.alloc(400));
    const first = session.pull(512);
    expect(parseFrames(first ?? Buffer.alloc(0)).map((frame) => frame.payload.length)).toEqual([304]);
    expect(parseFrames(drain(session)).map((frame) => frame.payload.length)).toEqual([404]);
  });

  test('the peer accepts it, reads the type and answers', () => {
    const client = side({ role: 'client' });
    const server = side({ role: 'server' });
    const call = openRecorded(client.session, 1, Buffer.from('ask'));
    settle(client.session, server.session);
    const accepted = server.accepted[0];
    expect(accepted?.stream?.type).toBe(1);
    expect(accepted?.data.toString()).toBe('ask');
    accepted?.stream?.end(Buffer.from('answer'));
    settle(client.session, server.session);
    expect(call.data.toString()).toBe('answer');
    expect(call.ended).toBe(true);
    call.stream.end();
    settle(client.session, server.session);
    expect(accepted?.ended).toBe(true);
    expect([client.session.streamCount, server.session.streamCount]).toEqual([0, 0]);
    expect(call.stream.closed).toBe(true);
  });

  test('the type may come in pieces, and empty frames between them', () => {
    const server = side({ role: 'server' });
    server.session.receive(dataFrame(3, Buffer.from([0xff]), DataFlag.syn));
    server.session.receive(dataFrame(3, ''));
    server.session.receive(dataFrame(3, Buffer.from([0xff, 0xff])));
    expect(server.accepted).toHaveLength(0);
    server.session.receive(dataFrame(3, Buffer.from([0xfe, 7, 8])));
    expect(server.accepted[0]?.stream?.type).toBe(0xfffffffe);
    expect(hex(server.accepted[0]?.data ?? Buffer.alloc(0))).toBe('0708');
  });

  test('a stream that ends inside its type is reset and never shown', () => {
    const server = side({ role: 'server', nudge: false });
    server.session.receive(dataFrame(3, Buffer.from([0, 0]), DataFlag.syn | DataFlag.fin));
    expect(server.accepted).toHaveLength(0);
    expect(hex(drain(server.session))).toBe(packed('0000040000000003 00000001'));
    expect(server.session.streamCount).toBe(0);
  });

  test('opening on a session that is over throws', () => {
    const { session } = side({ role: 'client' });
    session.destroy(MuxErrorCode.none, 'done');
    expect(() => openRecorded(session, 0)).toThrow(MuxSessionEnded);
  });
});

describe('windows', () => {
  test('a sender stops at 262,144 bytes, type included, and goes on with credit', () => {
    const client = side({ role: 'client' });
    const { stream } = openRecorded(client.session, 3, Buffer.alloc(300_000));
    const sent = parseFrames(drain(client.session));
    expect(sent.reduce((sum, frame) => sum + frame.payload.length, 0)).toBe(262_144);
    expect(sent.every((frame) => frame.payload.length <= 16_376)).toBe(true);
    expect(stream.queued).toBe(300_004 - 262_144);
    client.session.receive(controlFrame(FrameType.windowIncrement, 3, 1000));
    expect(drain(client.session)).toHaveLength(1008);
  });

  test('credit is granted in batches of half a window', () => {
    const server = side({ role: 'server', nudge: false }, { consume: false });
    server.session.receive(synFrame(3, 9));
    const accepted = server.accepted[0]?.stream;
    server.session.receive(dataFrame(3, Buffer.alloc(200_000)));
    accepted?.consume(131_067);
    expect(drain(server.session)).toHaveLength(0);
    accepted?.consume(1);
    expect(hex(drain(server.session))).toBe(packed('0000042000000003 00020000'));
  });

  test('a larger window comes with the first credit', () => {
    const server = side({ role: 'server', window: 1_048_576 });
    server.session.receive(synFrame(3, 9));
    server.session.receive(dataFrame(3, Buffer.alloc(131_072)));
    const [grant] = parseFrames(drain(server.session));
    expect(grant?.payload.readUInt32BE(0)).toBe(131_076 + 1_048_576 - 262_144);
    server.session.receive(dataFrame(3, Buffer.alloc(131_072)));
    expect(parseFrames(drain(server.session))[0]?.payload.readUInt32BE(0)).toBe(131_072);
  });

  test('a narrow stream keeps the first window, gets back to it, and widens again', () => {
    const server = side({ role: 'server', window: 1_048_576, nudge: false });
    server.session.receive(synFrame(3, 9));
    const stream = server.accepted[0]?.stream;
    const grants = (bytes: number): number => {
      let sum = 0;
      for (let left = bytes; left > 0; left -= 131_072) {
        server.session.receive(dataFrame(3, Buffer.alloc(131_072)));
        for (const { payload } of parseFrames(drain(server.session))) sum += payload.readUInt32BE(0);
      }
      return sum;
    };
    if (stream === undefined) throw new Error('no stream');
    stream.narrow = true;
    expect(grants(131_072)).toBe(131_076);
    stream.narrow = false;
    expect(grants(131_072)).toBe(131_072 + 1_048_576 - 262_144);
    stream.narrow = true;
    // All that is under way above the first window is used up before anything more is given.
    expect(grants(1_048_576 - 262_144)).toBe(0);
    expect(grants(262_144)).toBe(262_144);
  });

  test('consuming more than was delivered grants nothing extra', () => {
    const server = side({ role: 'server', nudge: false });
    server.session.receive(synFrame(3, 9));
    server.accepted[0]?.stream?.consume(1_000_000);
    expect(drain(server.session)).toHaveLength(0);
  });

  test('overrunning the window resets that stream with 3; the session lives', () => {
    const server = side({ role: 'server', nudge: false }, { consume: false });
    server.session.receive(synFrame(3, 9));
    server.session.receive(synFrame(5, 9));
    server.session.receive(dataFrame(3, Buffer.alloc(262_141)));
    expect(server.accepted[0]?.reset).toBe(MuxErrorCode.flowControl);
    expect(server.accepted[0]?.data).toHaveLength(0);
    expect(hex(drain(server.session))).toBe(packed('0000040000000003 00000003'));
    server.session.receive(dataFrame(5, 'still here'));
    expect(server.accepted[1]?.data.toString()).toBe('still here');
  });

  test('an overflowing grant resets that stream', () => {
    const client = side({ role: 'client' });
    const call = openRecorded(client.session, 3, Buffer.from('x'));
    drain(client.session);
    client.session.receive(controlFrame(FrameType.windowIncrement, 3, 0x7fffffff));
    expect(call.reset).toBe(MuxErrorCode.flowControl);
    expect(client.session.ended).toBe(false);
  });

  test('a writer is told to wait at 256 KiB and woken below the half', () => {
    const client = side({ role: 'client' });
    const call = openRecorded(client.session, 3);
    expect(call.stream.write(Buffer.alloc(262_144))).toBe(true);
    expect(call.stream.write(Buffer.alloc(1))).toBe(false);
    session: for (let pulled = 0; pulled < 9; pulled++) {
      const buffer = client.session.pull(16_384);
      if (buffer !== undefined) client.session.release(buffer);
      if (call.drains > 0) break session;
      expect(call.stream.queued).toBeGreaterThan(131_072);
    }
    expect(call.stream.queued).toBeLessThanOrEqual(131_072);
    expect(call.drains).toBe(1);
  });
});

describe('turns', () => {
  test('an opening of the peer is answered at once, so that the rest of its question is not held back', () => {
    const server = side({ role: 'server' });
    server.session.receive(synFrame(3, 8));
    server.session.receive(synFrame(5, 8));
    expect(parseFrames(drain(server.session)).map((frame) => [frame.type, frame.id])).toEqual([
      [FrameType.windowIncrement, NUDGE_STREAM_ID],
    ]);
  });

  test('streams take turns frame by frame, control frames first', () => {
    const client = side({ role: 'client' });
    openRecorded(client.session, 1, Buffer.alloc(40_000));
    openRecorded(client.session, 1, Buffer.alloc(20_000));
    openRecorded(client.session, 1, Buffer.alloc(10));
    const gone = openRecorded(client.session, 1, Buffer.alloc(10));
    drain(client.session, 512);
    openRecorded(client.session, 1, Buffer.alloc(40_000));
    openRecorded(client.session, 1, Buffer.alloc(10));
    gone.stream.reset(6);
    expect(parseFrames(drain(client.session)).map((frame) => [frame.type, frame.id])).toEqual([
      [0, 9],
      [1, 11],
      [1, 13],
      [1, 11],
      [1, 11],
    ]);
  });

  test('output is announced once, and behind what was received', () => {
    const server = side({ role: 'server', nudge: false });
    server.session.receive(Buffer.concat([synFrame(3, 0), synFrame(5, 0)]));
    expect(server.outputs).toBe(0);
    const [first, second] = server.accepted;
    first?.stream?.end(Buffer.from('a'));
    second?.stream?.end(Buffer.from('b'));
    expect(server.outputs).toBe(1);
    drain(server.session);
    first?.stream?.reset(0);
    expect(server.outputs).toBe(2);
  });

  test('the nudge answers a WNDINC of a server, once per read, and never a nudge', () => {
    const server = side({ role: 'server' });
    openRecorded(server.session, 3);
    drain(server.session);
    const grant = controlFrame(FrameType.windowIncrement, 2, 4);
    server.session.receive(Buffer.concat([grant, grant]));
    expect(hex(drain(server.session))).toBe(packed('000004207ffffffe 00000001'));
    server.session.receive(controlFrame(FrameType.windowIncrement, NUDGE_STREAM_ID, 1));
    expect(drain(server.session)).toHaveLength(0);
  });

  test('a shared chunk may be reused at once', () => {
    const client = side({ role: 'client' });
    const call = openRecorded(client.session, 3);
    const chunk = Buffer.from('first');
    call.stream.writeShared(chunk);
    chunk.write('other');
    call.stream.writeShared(chunk);
    expect(drain(client.session).subarray(12).toString()).toBe('firstother');
  });
});

describe('ending', () => {
  test.each(['server', 'client'] as const)('a reset behind what is queued lets it leave first (%s)', (role) => {
    const { session } = side({ role });
    const { stream } = openRecorded(session, 3, Buffer.from('x'));
    drain(session);
    stream.write(Buffer.alloc(40_000));
    stream.resetBehind(MuxErrorCode.internal);
    expect([stream.writable, stream.closed, stream.write(Buffer.from('late'))]).toEqual([false, false, false]);
    const frames = parseFrames(drain(session)).filter(({ type }) => type !== FrameType.windowIncrement);
    expect(frames.slice(0, -1).reduce((sum, { payload }) => sum + payload.length, 0)).toBe(40_000);
    expect(frames.at(-1)).toMatchObject({ type: FrameType.reset, id: stream.id });
    expect([stream.closed, stream.unsent, session.streamCount]).toEqual([true, 0, 0]);
  });

  test('a reset behind what the window holds back waits, and one at once overtakes it', () => {
    const { session } = side({ role: 'client' });
    const { stream } = openRecorded(session, 3);
    stream.write(Buffer.alloc(300_000));
    stream.resetBehind(MuxErrorCode.internal);
    drain(session);
    expect(stream.closed).toBe(false);
    stream.reset(MuxErrorCode.streamCancelled);
    expect(parseFrames(drain(session)).map(({ type }) => type)).toEqual([FrameType.reset]);
    expect(stream.unsent).toBe(300_000 - 0x40000 + 4);
  });

  test('a reset reaches the peer once and late frames are dropped in silence', () => {
    const client = side({ role: 'client' });
    const server = side({ role: 'server' });
    const call = openRecorded(client.session, 3, Buffer.from('x'));
    settle(client.session, server.session);
    call.stream.write(Buffer.from('never sent'));
    call.stream.reset(MuxErrorCode.streamCancelled);
    call.stream.reset(MuxErrorCode.streamCancelled);
    expect(hex(drain(client.session))).toBe(packed('0000040000000003 00000006'));
    client.session.receive(dataFrame(3, 'late'));
    client.session.receive(dataFrame(3, 'late', DataFlag.fin));
    expect(drain(client.session)).toHaveLength(0);
    server.session.receive(controlFrame(FrameType.reset, 3, 6));
    expect(server.accepted[0]?.reset).toBe(6);
    expect(server.session.streamCount).toBe(0);
  });

  test('a server lets a grant follow its reset, which wakes a writer that waits for credit', () => {
    const client = side({ role: 'client' });
    const server = side({ role: 'server', nudge: false });
    const call = openRecorded(server.session, 3, Buffer.from('x'));
    settle(server.session, client.session);
    call.stream.reset(MuxErrorCode.streamCancelled);
    const frames = drain(server.session);
    expect(hex(frames)).toBe(packed('0000040000000002 00000006 0000042000000002 00000001'));
    client.session.receive(frames);
    expect(client.accepted[0]?.reset).toBe(MuxErrorCode.streamCancelled);
    expect(client.session.streamCount).toBe(0);
  });

  test('payload for an unknown stream is answered with RST(4), empty FIN, RST and WNDINC with nothing', () => {
    const server = side({ role: 'server', nudge: false });
    server.session.receive(dataFrame(7, 'x'));
    expect(hex(drain(server.session))).toBe(packed('0000040000000007 00000004'));
    server.session.receive(dataFrame(9, '', DataFlag.fin));
    server.session.receive(controlFrame(FrameType.reset, 9, 1));
    server.session.receive(controlFrame(FrameType.windowIncrement, 9, 1));
    expect(drain(server.session)).toHaveLength(0);
    expect(server.session.ended).toBe(false);
  });

  test('payload after FIN resets the stream with 4', () => {
    const server = side({ role: 'server' });
    server.session.receive(synFrame(3, 0, '', DataFlag.fin));
    expect(server.accepted[0]?.ended).toBe(true);
    server.session.receive(dataFrame(3, 'x'));
    expect(server.accepted[0]?.reset).toBe(MuxErrorCode.streamClosed);
  });

  test('the wire ends: every stream hears it, then the owner', () => {
    const client = side({ role: 'client' });
    const call = openRecorded(client.session, 3);
    client.session.wireEnded('connection lost');
    client.session.wireEnded('again');
    expect(call.reset).toBe(MuxErrorCode.peerEof);
    expect(client.end).toEqual({ code: MuxErrorCode.peerEof, detail: 'connection lost' });
    expect(call.stream.write(Buffer.from('x'))).toBe(false);
    expect(drain(client.session)).toHaveLength(0);
  });

  test('GOAWAY of ours leaves behind all data, and nothing after it', () => {
    const client = side({ role: 'client' });
    const call = openRecorded(client.session, 3, Buffer.from('data'));
    client.session.goAway(0, 'bye');
    expect(hex(drain(client.session))).toBe(
      packed('0000081200000003 00000003 64617461 00000b3000000000 00000000 00000000 627965'),
    );
    call.stream.write(Buffer.from('more'));
    expect(drain(client.session)).toHaveLength(0);
    expect(() => openRecorded(client.session, 3)).toThrow(MuxSessionEnded);
  });

  test.each([
    ['well formed', packed('0000083000000000 00000003 00000000')],
    ['length without the fixed part', packed('0000033000000000 00000003 00000000 627965')],
    ['nothing behind the header', '0000003000000000'],
  ])('GOAWAY of the peer ends the session: %s', (_name, bytes) => {
    const server = side({ role: 'server' });
    server.session.receive(synFrame(3, 0));
    server.session.receive(Buffer.concat([Buffer.from(bytes, 'hex'), synFrame(5, 0)]));
    expect(server.end?.code).toBe(MuxErrorCode.remoteGoneAway);
    expect(server.accepted).toHaveLength(1);
    expect(server.accepted[0]?.reset).toBe(MuxErrorCode.peerEof);
    expect(drain(server.session)).toHaveLength(0);
  });

  test('an owner that destroys the session inside a callback stops the reading there', () => {
    const server = side({ role: 'server' });
    server.session.receive(synFrame(3, 0));
    const first = server.accepted[0]?.stream;
    if (first !== undefined) first.handler.onData = () => server.session.destroy(0, 'enough');
    server.session.receive(Buffer.concat([dataFrame(3, 'x'), synFrame(5, 0)]));
    expect(server.accepted).toHaveLength(1);
    expect(server.end).toEqual({ code: 0, detail: 'enough' });
  });
});
