import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMuxSession } from '../mux/session.ts';
import { dataFrame, drain, openRecorded, parseFrames, settle, side } from '../mux/testing.ts';
import type { MuxSession, MuxStream } from '../mux/types.ts';
import { acceptRpc, callRpc } from './call.ts';
import { echoHeartbeats, openHeartbeat } from './heartbeat.ts';
import { encodeProxyHeader, ProxyHeaderReader } from './proxy-header.ts';
import { StreamType } from './types.ts';

/** A server whose streams go to `onStream`. */
function server(onStream: (stream: MuxStream) => void): MuxSession {
  return createMuxSession({ role: 'server', nudge: false }, { onStream, onOutput() {}, onEnd() {} });
}

describe('RPC over streams', () => {
  test('a call is answered without waiting for FIN, and both directions end', () => {
    const client = side({ role: 'client' });
    const messages: unknown[] = [];
    const answering = server((stream) =>
      acceptRpc(stream, 1000, {
        onMessage(value) {
          messages.push([stream.type, value]);
          stream.end(Buffer.from('{"ok":true}'));
        },
        onFailure: (error) => messages.push(error),
      }),
    );
    callRpc(client.session, StreamType.bind, Buffer.from('{"a":1}\n'), 1000, {
      onMessage: (value) => messages.push(value),
      onFailure: (error) => messages.push(error),
    });
    settle(client.session, answering);
    expect(messages).toEqual([[1, { a: 1 }], { ok: true }]);
    expect([client.session.streamCount, answering.streamCount]).toEqual([0, 0]);
  });

  test.each([
    ['no answer', (stream: MuxStream) => stream.end(), 'the stream ended without one'],
    ['half an answer', (stream: MuxStream) => stream.end(Buffer.from('{"a":')), 'it ends too early'],
    ['no JSON', (stream: MuxStream) => stream.end(Buffer.from('oops')), 'not a JSON object'],
    ['a reset', (stream: MuxStream) => stream.reset(5), 'reset with code 5'],
  ])('a call fails once: %s', (_name, answer, words) => {
    const client = side({ role: 'client' });
    const failures: string[] = [];
    const answering = server((stream) =>
      acceptRpc(stream, 100, { onMessage: () => answer(stream), onFailure: () => {} }),
    );
    callRpc(client.session, 0, Buffer.from('{}'), 100, {
      onMessage: () => failures.push('message'),
      onFailure: (error) => failures.push(error.message),
    });
    settle(client.session, answering);
    client.session.wireEnded('gone');
    expect(failures).toHaveLength(1);
    expect(failures[0]).toContain(words);
  });

  test('a request that is too long can still be answered', () => {
    const client = side({ role: 'client' });
    const answering = server((stream) =>
      acceptRpc(stream, 10, {
        onMessage: () => stream.end(Buffer.from('{}')),
        onFailure: (error) => stream.end(Buffer.from(JSON.stringify({ Error: error.message }))),
      }),
    );
    const call = openRecorded(client.session, 0, Buffer.from(`{"a":"${'x'.repeat(400_000)}"}`));
    settle(client.session, answering);
    expect(call.data.toString()).toContain('longer than 10 bytes');
    call.stream.end();
    settle(client.session, answering);
    expect(answering.streamCount).toBe(0);
  });
});

describe('heartbeats', () => {
  test('asker and echo', () => {
    const client = side({ role: 'client' });
    let echoed = 0;
    const answering = server((stream) => echoHeartbeats(stream, () => (echoed += 1)));
    let clock = 1000;
    const latencies: number[] = [];
    const heartbeat = openHeartbeat(client.session, {
      now: () => clock,
      random32: () => 0x01020304,
      onLatency: (ms) => latencies.push(ms),
      onBroken: () => latencies.push(-1),
    });
    heartbeat.beat();
    expect(heartbeat.waitingSince).toBe(1000);
    heartbeat.beat();
    const sent = drain(client.session);
    expect(sent.toString('hex')).toBe('0000081200000003ffffffff01020304');
    answering.receive(sent);
    clock += 7;
    settle(client.session, answering);
    expect([latencies, echoed, heartbeat.waitingSince]).toEqual([[7], 1, undefined]);
    heartbeat.beat();
    settle(client.session, answering);
    expect(latencies).toEqual([7, 0]);
    heartbeat.stop();
    expect(parseFrames(drain(client.session)).map((frame) => [frame.type, frame.flags])).toEqual([[0, 0]]);
  });

  test('the echo takes beats apart and puts them back together as 4-byte frames', () => {
    const answering = server((stream) => echoHeartbeats(stream));
    const beats = Buffer.from('aaaabbbbcc');
    answering.receive(dataFrame(3, Buffer.concat([Buffer.alloc(4, 0xff), beats]), 2));
    answering.receive(dataFrame(3, 'cc'));
    expect(Buffer.concat(parseFrames(drain(answering)).map((frame) => frame.payload)).toString()).toBe('aaaabbbbcccc');
  });

  test('a beat that comes alone is echoed in one frame', () => {
    const answering = server((stream) => echoHeartbeats(stream));
    answering.receive(dataFrame(3, Buffer.from([255, 255, 255, 255, 1]), 2));
    answering.receive(dataFrame(3, Buffer.from([2, 3, 4])));
    expect(drain(answering).toString('hex')).toBe('000004100000000301020304');
  });

  test('a flood of beats that nobody reads is cut', () => {
    const answering = server((stream) => echoHeartbeats(stream));
    answering.receive(dataFrame(3, Buffer.alloc(4, 0xff), 2));
    for (let i = 0; i < 40; i++) answering.receive(dataFrame(3, Buffer.alloc(4000)));
    expect(answering.streamCount).toBe(0);
  });

  test.each([
    ['wrong bytes', (stream: MuxStream) => stream.write(Buffer.from('nope'))],
    ['an end', (stream: MuxStream) => stream.end()],
    ['a reset', (stream: MuxStream) => stream.reset(1)],
  ])('the asker stops, without FIN, at %s', (_name, act) => {
    const client = side({ role: 'client' });
    const answering = side({ role: 'server' });
    const broken: string[] = [];
    const heartbeat = openHeartbeat(client.session, {
      now: () => 0,
      random32: () => 1,
      onLatency: () => {},
      onBroken: (reason) => broken.push(reason),
    });
    heartbeat.beat();
    settle(client.session, answering.session);
    const stream = answering.accepted[0]?.stream;
    if (stream !== undefined) act(stream);
    settle(client.session, answering.session);
    heartbeat.beat();
    expect(broken).toHaveLength(1);
    expect(answering.accepted[0]?.ended).toBe(false);
    expect([client.session.streamCount, answering.session.streamCount]).toEqual([0, 0]);
  });
});

describe('the proxy header', () => {
  const header = {
    id: 'tn_1',
    clientAddr: '[::1]:50000',
    proto: 'https',
    edgeType: '0',
    passthroughTls: false,
  } as const;

  test('bytes', () => {
    const bytes = encodeProxyHeader(header);
    expect(bytes.readBigInt64LE(0)).toBe(BigInt(bytes.length - 8));
    expect(JSON.parse(bytes.subarray(8).toString())).toEqual({
      Id: 'tn_1',
      ClientAddr: '[::1]:50000',
      Proto: 'https',
      EdgeType: '0',
      PassthroughTLS: false,
    });
  });

  test('is read under any split and leaves the rest', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 })), fc.string(), (cuts, rest) => {
        const bytes = Buffer.concat([encodeProxyHeader(header), Buffer.from(rest)]);
        const reader = new ProxyHeaderReader();
        let at = 0;
        for (const cut of [...cuts, bytes.length]) {
          const chunk = Buffer.from(bytes.subarray(at, at + cut));
          const used = reader.push(chunk);
          if (used >= 0) {
            expect(bytes.subarray(at + used).toString()).toBe(rest);
            break;
          }
          chunk.fill(0);
          at += cut;
        }
        expect(reader.header).toEqual(header);
      }),
    );
  });

  test.each([
    ['a huge length', Buffer.from('ffffffff00000000', 'hex'), /longer than 65536/],
    ['a negative length', Buffer.from('00000000ffffffff', 'hex'), /longer than 65536/],
    ['no JSON', Buffer.concat([Buffer.from('0200000000000000', 'hex'), Buffer.from('{]')]), /not valid JSON/],
    ['no protocol', Buffer.concat([Buffer.from('0200000000000000', 'hex'), Buffer.from('{}')]), /ProxyHeader.Proto/],
  ])('refuses %s', (_name, bytes, message) => {
    expect(() => new ProxyHeaderReader().push(bytes)).toThrow(message);
  });
});
