import { array, assert, boolean, integer, property, record, uint8Array } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WebSocketFrameReader } from './frame-reader.ts';
import { isSendable, webSocketClose, webSocketFrameHead } from './frames.ts';
import { isWebSocketKey, webSocketAccept } from './handshake.ts';

const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

/** As a client writes it. `first` is FIN, RSV and opcode. */
function frame(first: number, payload: Buffer, mask: Buffer | null = MASK): Buffer {
  const head = webSocketFrameHead(0, payload.length);
  head.writeUInt8(first, 0);
  if (mask === null) return Buffer.concat([head, payload]);
  head.writeUInt8(head.readUInt8(1) | 0x80, 1);
  const masked = payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0));
  return Buffer.concat([head, mask, masked]);
}

function read(...chunks: Buffer[]) {
  const parts: Buffer[] = [];
  const pings: string[] = [];
  const closes: number[] = [];
  const reader = new WebSocketFrameReader({
    onPayload: (chunk) => parts.push(Buffer.from(chunk)),
    onPing: (payload) => pings.push(payload.toString()),
    onClose: (code) => closes.push(code),
  });
  for (const chunk of chunks) reader.push(Buffer.from(chunk));
  return { payload: Buffer.concat(parts), pings, closes, failure: reader.failure, within: reader.within };
}

const bytes = (text: string): Buffer => Buffer.from(text);
const code = (value: number): Buffer => Buffer.from([value >>> 8, value & 0xff]);

test('the masked example of RFC 6455 §5.7, as a binary message', () => {
  const { payload } = read(Buffer.from([0x82, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]));
  expect(payload.toString()).toBe('Hello');
});

test('the handshake example of RFC 6455 §1.3', () => {
  expect(webSocketAccept('dGhlIHNhbXBsZSBub25jZQ==')).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  expect(isWebSocketKey('dGhlIHNhbXBsZSBub25jZQ==')).toBe(true);
  expect(isWebSocketKey('dGhlIHNhbXBsZSBub25jZR==')).toBe(false);
  expect(isWebSocketKey('')).toBe(false);
});

test('however messages are cut into frames and frames into reads, their bytes come out in order', () => {
  const messages = array(
    record({
      pieces: array(uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 4 }),
      ping: boolean(),
    }),
    { maxLength: 6 },
  );
  assert(
    property(messages, array(integer({ min: 1, max: 400 })), (sent, cuts) => {
      const wire: Buffer[] = [];
      for (const { pieces, ping } of sent) {
        pieces.forEach((piece, at) => {
          const final = at === pieces.length - 1 ? 0x80 : 0;
          wire.push(frame(final | (at === 0 ? 2 : 0), Buffer.from(piece)));
          // Control frames may stand between the frames of a message.
          if (ping) wire.push(frame(0x89, bytes('p')));
        });
      }
      const all = Buffer.concat(wire);
      const chunks: Buffer[] = [];
      let at = 0;
      for (const cut of cuts) chunks.push(all.subarray(at, (at = Math.min(all.length, at + cut))));
      const got = read(...chunks, all.subarray(at));
      const wanted = sent.flatMap(({ pieces }) => pieces.map((piece) => Buffer.from(piece)));
      expect(got.payload).toEqual(Buffer.concat(wanted));
      expect(got.pings).toHaveLength(sent.reduce((sum, { pieces, ping }) => sum + (ping ? pieces.length : 0), 0));
      expect(got.failure).toBe(0);
    }),
  );
});

test('lengths of two and of eight bytes', () => {
  for (const length of [125, 126, 65_535, 65_536]) {
    expect(read(frame(0x82, Buffer.alloc(length, 7))).payload).toEqual(Buffer.alloc(length, 7));
  }
});

test('a close frame ends it, whatever comes behind', () => {
  const { closes, payload, within } = read(frame(0x88, code(1000)), frame(0x82, bytes('late')));
  expect(closes).toEqual([1000]);
  expect(payload.length).toBe(0);
  expect(within).toBe(false);
  expect(read(frame(0x88, bytes(''))).closes).toEqual([1005]);
});

test('an end within a message is told apart', () => {
  expect(read(frame(0x82, bytes('all'))).within).toBe(false);
  expect(read(frame(0x02, bytes('part'))).within).toBe(true);
  expect(read(frame(0x82, bytes('all')).subarray(0, 7)).within).toBe(true);
  expect(read(Buffer.from([0x82])).within).toBe(true);
});

describe('what a client may not send', () => {
  test.each([
    ['a frame that is not masked', frame(0x82, bytes('a'), null), 1002],
    ['a reserved bit, as no extension was agreed on', frame(0xc2, bytes('a')), 1002],
    ['a text message', frame(0x81, bytes('a')), 1003],
    ['a reserved opcode', frame(0x83, bytes('a')), 1002],
    ['a reserved control opcode', frame(0x8b, bytes('a')), 1002],
    ['a continuation of nothing', frame(0x80, bytes('a')), 1002],
    ['a new message within another', Buffer.concat([frame(0x02, bytes('a')), frame(0x82, bytes('b'))]), 1002],
    ['a ping in parts', frame(0x09, bytes('a')), 1002],
    ['a ping of 126 bytes', frame(0x89, Buffer.alloc(126)), 1002],
    ['a close frame of one byte', frame(0x88, bytes('a')), 1002],
    ['a close frame with a code that is never sent', frame(0x88, code(1005)), 1002],
    ['a length that is negative', Buffer.from([0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 1002],
    ['a length that nobody could count', Buffer.from([0x82, 0xff, 0x7f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 1009],
  ])('%s', (_, wire, failure) => {
    expect(read(wire).failure).toBe(failure);
  });
});

test('codes of close frames', () => {
  const sendable = [1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 4999];
  expect(sendable.every(isSendable)).toBe(true);
  expect([0, 999, 1004, 1005, 1006, 1015, 2999, 5000].some(isSendable)).toBe(false);
  expect(webSocketClose(1005)).toEqual(Buffer.from([0x88, 0]));
  expect(webSocketClose(1000)).toEqual(Buffer.from([0x88, 2, 3, 0xe8]));
});
