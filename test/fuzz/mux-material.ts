/** Muxado frames (agent-protocol.md §2), made by hand, and conversations recorded from real sessions. */
import { createMuxSession, encodeProxyHeader, StreamType, type MuxStream } from '@postern/protocol';
import { Dice } from '@postern/edge/testing/dice';
import type { Material } from './mutate.ts';

const IDLE = { onData() {}, onEnd() {}, onReset() {}, onDrain() {} };
const IDS = [0, 1, 2, 3, 4, 5, 7, 8, 101, 0x7ffffffe, 0x7fffffff, 0x80000003, 0xffffffff];
const VALUES = [0, 1, 5, 262_144, 0x7fffffff, 0x80000000, 0xffffffff];

export function frame(type: number, flags: number, id: number, payload: Buffer, length = payload.length): Buffer {
  const header = Buffer.alloc(8);
  header.writeUIntBE(length, 0, 3);
  header.writeUInt8((type << 4) | flags, 3);
  header.writeUInt32BE(id, 4);
  return Buffer.concat([header, payload]);
}

/** Of any type with any flags, mostly in order. */
export function randomFrame(dice: Dice): Buffer {
  const id = dice.once(3) ? (IDS[dice.below(IDS.length)] ?? 3) : 2 + dice.below(12);
  switch (dice.below(8)) {
    case 0:
      return frame(0, dice.once(8) ? dice.below(16) : 0, id, u32(dice.below(17)));
    case 1:
      return frame(2, 0, id, u32(dice.once(2) ? dice.below(100_000) : (VALUES[dice.below(VALUES.length)] ?? 0)));
    case 2:
      return frame(1, 2 + dice.below(2), id, Buffer.concat([u32(dice.below(12)), filled(dice.below(40))]));
    case 3:
      return frame(dice.below(16), dice.below(16), id, filled(dice.below(30)));
    case 4:
      // Promises more or less than it brings.
      return frame(dice.below(5), dice.below(4), id, filled(dice.below(30)), dice.below(dice.once(4) ? 0xffffff : 40));
    case 5:
      if (!dice.once(8)) return frame(1, 0, id, filled(1 + dice.below(2_000)));
      return frame(3, 0, 0, Buffer.concat([u32(3), u32(dice.below(16)), Buffer.from('bye')]));
    default:
      return frame(1, dice.once(4) ? 1 : 0, id, filled(dice.below(60)));
  }
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

function filled(length: number): Buffer {
  return Buffer.alloc(length, 'abcdefg');
}

/** What one side says when it does everything that a session can. */
function recorded(role: 'client' | 'server', seed: number): Buffer {
  const dice = new Dice(seed);
  const said: Buffer[] = [];
  const session = createMuxSession({ role }, { onStream() {}, onOutput() {}, onEnd() {} });
  const streams: MuxStream[] = [];
  for (let step = 0; step < 14; step++) {
    const stream = streams[dice.below(streams.length)];
    if (stream === undefined || dice.once(4)) {
      const type = dice.pick([StreamType.auth, StreamType.bind, StreamType.proxy, StreamType.heartbeat]);
      streams.push(session.open(type, IDLE, type === StreamType.proxy ? PROXY : filled(dice.below(50))));
    } else {
      const what = dice.below(8);
      if (what === 0) stream.reset(dice.below(16));
      else if (what === 1) stream.end();
      else stream.write(filled(1 + dice.below(300)));
    }
    for (let bytes = session.pull(); bytes !== undefined; bytes = session.pull()) {
      said.push(Buffer.from(bytes));
      session.release(bytes);
    }
  }
  return Buffer.concat(said);
}

const PROXY = encodeProxyHeader({
  id: 'x',
  clientAddr: '127.0.0.1:1',
  proto: 'http',
  edgeType: '1',
  passthroughTls: false,
});

/** What a session of the other role hears. */
export function muxMaterial(peer: 'client' | 'server'): Material {
  const [first, second] = peer === 'client' ? [3, 5] : [2, 4];
  const syn = (id: number, type: number, text = ''): Buffer =>
    frame(1, 2, id, Buffer.concat([u32(type), Buffer.from(text)]));
  return {
    corpus: [
      recorded(peer, 1),
      recorded(peer, 2),
      recorded(peer, 3),
      syn(first, StreamType.auth, '{"Version":["3"],"Extra":{}}'),
      Buffer.concat([
        syn(first, StreamType.heartbeat),
        frame(1, 0, first, Buffer.from('beat')),
        frame(1, 1, first, EMPTY),
      ]),
      Buffer.concat([
        frame(1, 2, first, EMPTY),
        frame(1, 0, first, u32(3).subarray(0, 2)),
        frame(1, 0, first, filled(9)),
      ]),
      Buffer.concat([syn(first, 3, 'x'), frame(0, 0, first, u32(6)), syn(first, 3, 'again'), syn(second, 3)]),
      Buffer.concat([frame(2, 0, 3, u32(1)), frame(2, 0, 2, u32(0x7fffffff)), frame(2, 0, 0x7ffffffe, u32(1))]),
      Buffer.concat([syn(second, 3), frame(3, 0, 0, Buffer.concat([u32(3), u32(0)])), syn(first, 3)]),
      Buffer.concat([syn(first, 3), ...Array.from({ length: 6 }, () => frame(1, 0, first, filled(60_000)))]),
      Buffer.concat([frame(9, 15, 1, filled(20)), frame(1, 3, first, u32(1))]),
    ],
    tokens: [
      frame(1, 1, first, EMPTY),
      frame(0, 0, first, u32(5)),
      frame(2, 0, first, u32(0xffffffff)),
      frame(3, 0, 0, u32(0)),
      frame(1, 2, second, u32(3)),
      frame(1, 0, 0, EMPTY),
      Buffer.from([0xff, 0xff, 0xff]),
      Buffer.from([0x7f, 0xff, 0xff, 0xff]),
      u32(0),
    ],
  };
}

const EMPTY = Buffer.alloc(0);
