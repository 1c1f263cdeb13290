/**
 * An HTTP/2 service that answers with whatever comes to its mind: frames in every order, right and wrong ones, with
 * resets, GOAWAYs and ends at any point. It knows of each answer what it said, so that nobody can have got more.
 */
import type { Socket } from 'node:net';
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';
import type { Dice } from './dice.ts';
import { Flag, frame, FrameType, literal, longLiteral, setting, words } from './h2-frames.ts';

const PREFACE_BYTES = 24;
const OK = Buffer.from([0x88]);
const CODES = [0, 1, 2, 3, 5, 6, 7, 8, 11, 13, 99] as const;

/** What was said on one stream of a connection, under a mark that its answer carries. */
export interface Said {
  bytes: number;
  /** By a frame that could be understood. */
  ended: boolean;
  /** Behind what cannot be understood nothing is an answer any more. */
  spoilt: boolean;
  /** Content-Length; -1 = none. */
  declared: number;
}

export class HostileAnswers {
  readonly said = new Map<number, Said>();
  #marks = 0;

  begin(): { readonly mark: number; readonly said: Said } {
    const mark = ++this.#marks;
    const said: Said = { bytes: 0, ended: false, spoilt: false, declared: -1 };
    this.said.set(mark, said);
    return { mark, said };
  }
}

/** Serves one connection of the edge. @param dice of this connection alone, so that a seed repeats it */
export function serveHostile(socket: Socket, dice: Dice, answers: HostileAnswers): void {
  let unread: Buffer = Buffer.alloc(0);
  let preface = true;
  socket.on('error', () => {});
  socket.write(opening(dice));
  socket.on('end', () => socket.end());
  socket.on('data', (chunk: Buffer) => {
    unread = Buffer.concat([unread, chunk]);
    if (preface && unread.length < PREFACE_BYTES) return;
    if (preface) unread = unread.subarray(PREFACE_BYTES);
    preface = false;
    while (unread.length >= 9 && unread.length >= 9 + unread.readUIntBE(0, 3)) {
      const length = unread.readUIntBE(0, 3);
      const [type = 0, flags = 0] = unread.subarray(3, 5);
      const id = unread.readUInt32BE(5);
      unread = unread.subarray(9 + length);
      if (type === FrameType.settings && flags === 0 && !dice.once(10)) say(socket, frame(type, Flag.ack, 0));
      if (type === FrameType.headers && (flags & Flag.endHeaders) !== 0) void answer(socket, dice, id, answers.begin());
      if (type === FrameType.data && dice.once(3)) say(socket, windows(dice, id));
      if (dice.once(20)) say(socket, noise(dice, id));
    }
  });
}

function say(socket: Socket, bytes: Buffer): void {
  if (socket.writable) socket.write(bytes);
}

function opening(dice: Dice): Buffer {
  switch (dice.below(16)) {
    case 0:
      return Buffer.from('HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n');
    case 1:
      return Buffer.from(Array.from({ length: 100 }, () => dice.below(256)));
    case 2:
      // No SETTINGS at all.
      return Buffer.alloc(0);
    case 3:
    case 4:
      return frame(FrameType.settings, 0, 0, settings(dice));
    default:
      return frame(FrameType.settings, 0, 0);
  }
}

/** Names 1 to 6 with values at the edges of what is allowed, and past them. */
function settings(dice: Dice): Buffer {
  const values = [0, 1, 2, 100, 16_383, 16_384, 65_535, 16_777_215, 0x7fff_ffff, 0x8000_0000] as const;
  return Buffer.concat(Array.from({ length: 1 + dice.below(4) }, () => setting(1 + dice.below(9), dice.pick(values))));
}

function windows(dice: Dice, id: number): Buffer {
  const by = dice.pick([0, 1, 16_384, 16_384, 65_536, 1_000_000, 0x7fff_ffff]);
  return frame(FrameType.windowUpdate, 0, dice.once(2) ? id : 0, words(by));
}

/** Frames that are no part of an answer. */
function noise(dice: Dice, id: number): Buffer {
  const near = dice.pick([id, id, id + 2, Math.max(0, id - 2), id + 1, 0, 1_001]);
  switch (dice.below(12)) {
    case 0:
      return frame(FrameType.resetStream, 0, near, words(dice.pick(CODES)));
    case 1:
      return frame(FrameType.goAway, 0, 0, words(dice.pick([0, id, near, 0x7fff_ffff]), dice.pick(CODES)));
    case 2:
      return Buffer.concat(
        Array.from({ length: 1 + dice.below(40) }, () => frame(FrameType.settings, 0, 0, settings(dice))),
      );
    case 3:
      return windows(dice, near);
    case 4:
      return Buffer.concat(
        Array.from({ length: 1 + dice.below(40) }, () => frame(FrameType.ping, dice.below(2), 0, Buffer.alloc(8))),
      );
    case 5:
      return frame(FrameType.pushPromise, Flag.endHeaders, id, Buffer.concat([words(id + 1), OK]));
    case 6:
      return frame(10 + dice.below(240), dice.below(256), near, Buffer.alloc(dice.below(100)));
    case 7:
      return frame(FrameType.priority, 0, near, Buffer.concat([words(near), Buffer.from([dice.below(256)])]));
    case 8:
      // Never on a stream that carries an answer, of which nobody would know what was said.
      return frame(FrameType.data, dice.below(2), (near | 1) + 1, Buffer.alloc(dice.below(100)));
    case 9:
      return frame(FrameType.continuation, Flag.endHeaders, near, OK);
    case 10:
      // A length that is wrong for its type.
      return frame(1 + dice.below(9), 0, near, Buffer.alloc(dice.below(9)));
    default:
      return Buffer.from(Array.from({ length: dice.below(40) }, () => dice.below(256)));
  }
}

/** A block as one HEADERS frame, or with CONTINUATIONs. */
function block(dice: Dice, flags: number, id: number, bytes: Buffer): Buffer {
  const most = dice.once(4) ? 1 + dice.below(40) : 16_384;
  if (bytes.length <= most) return frame(FrameType.headers, flags | Flag.endHeaders, id, bytes);
  const frames = [frame(FrameType.headers, flags, id, bytes.subarray(0, most))];
  const step = Math.max(most, Math.ceil(bytes.length / 50));
  for (let at = most; at < bytes.length; at += step) {
    const part = bytes.subarray(at, at + Math.min(step, 16_384));
    const last = at + part.length >= bytes.length;
    frames.push(frame(FrameType.continuation, last ? Flag.endHeaders : 0, id, part));
    if (last) break;
  }
  return Buffer.concat(frames);
}

/** Fields that cannot be told in HTTP; the runtime leaves them out. */
function oddField(dice: Dice): Buffer {
  return dice.pick([
    literal('X-Upper', '1'),
    literal('bad name', '1'),
    literal('x', 'a\r\nx-mark: 0'),
    literal('', '1'),
  ]);
}

function wrongHead(dice: Dice, mark: Buffer): Buffer {
  const wrong = [
    [mark],
    [OK, OK, mark],
    [literal(':status', 'abc'), mark],
    [literal(':status', '101'), mark],
    [literal(':status', '1000'), mark],
    [OK, literal(':path', '/'), mark],
    [mark, OK],
    [OK, mark, literal('connection', 'close')],
    [OK, mark, literal('transfer-encoding', 'chunked')],
    [OK, mark, literal('content-length', '-1')],
    [OK, mark, literal('content-length', '1'), literal('content-length', '2')],
    // An index that does not exist, a string without its end.
    [OK, Buffer.from([0xff, 0xff, 0xff, 0x7f])],
    [OK, Buffer.from([0, 100, 120])],
    [OK, mark, ...Array.from({ length: 40 }, () => longLiteral('x-long', 'x'.repeat(16_000)))],
    [OK, mark, ...Array.from({ length: 3_000 }, () => Buffer.from([0x88]))],
  ];
  return Buffer.concat(wrong[dice.below(wrong.length)] ?? []);
}

async function answer(
  socket: Socket,
  dice: Dice,
  id: number,
  { mark, said }: { readonly mark: number; readonly said: Said },
): Promise<void> {
  const sent = (bytes: Buffer): void => {
    if (!dice.once(8)) return say(socket, bytes);
    const cut = dice.below(bytes.length + 1);
    say(socket, bytes.subarray(0, cut));
    say(socket, bytes.subarray(cut));
  };
  const between = async (): Promise<void> => {
    if (dice.once(25)) say(socket, noise(dice, id));
    if (dice.once(40)) socket.end();
    if (dice.once(6)) await (dice.once(2) ? turn() : pause(dice.below(12)));
  };
  const name = literal('x-mark', String(mark));
  await between();
  if (dice.once(4)) {
    sent(Buffer.concat(Array.from({ length: 1 + dice.below(3) }, () => hints(dice, id))));
    await between();
  }
  const parts = dice.pick([0, 1, 1, 2, 5]);
  const sizes = Array.from({ length: parts }, () => dice.pick([0, 1, 10, 1_000, 16_000, 16_384]));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (dice.once(8)) {
    said.spoilt = true;
    sent(block(dice, dice.once(2) ? Flag.endStream : 0, id, wrongHead(dice, name)));
  } else {
    const head = [OK, name, literal('x-at', '1')];
    if (dice.once(2)) {
      said.declared = dice.once(6) ? dice.below(20_000) : total;
      head.push(literal('content-length', String(said.declared)));
    }
    if (dice.once(10)) head.push(oddField(dice));
    const ends = parts === 0 && dice.once(2);
    said.ended = ends;
    sent(block(dice, ends ? Flag.endStream : 0, id, Buffer.concat(head)));
    if (ends) return;
  }
  for (const size of sizes) {
    await between();
    sent(data(dice, id, size, said));
  }
  await between();
  lastWord(socket, dice, id, said, sent);
}

function hints(dice: Dice, id: number): Buffer {
  const status = dice.pick(['100', '102', '103', '103', '199']);
  const ends = dice.once(20) ? Flag.endStream : 0;
  return block(dice, ends, id, Buffer.concat([literal(':status', status), literal('link', '</a>')]));
}

function data(dice: Dice, id: number, size: number, said: Said): Buffer {
  const bytes = Buffer.alloc(size, 'x');
  said.bytes += size;
  switch (dice.below(12)) {
    case 0: {
      const padding = dice.below(256);
      // A frame has at most 16 KiB with its padding.
      if (size + padding + 1 > 16_384) said.spoilt = true;
      return frame(
        FrameType.data,
        Flag.padded,
        id,
        Buffer.concat([Buffer.from([padding]), bytes, Buffer.alloc(padding)]),
      );
    }
    case 1:
      if (!dice.once(6)) break;
      // More padding than there is frame (RFC 9113 §6.1).
      said.spoilt = true;
      return frame(FrameType.data, Flag.padded, id, Buffer.from([255, 1, 2]));
    case 2:
      if (!dice.once(6)) break;
      said.spoilt = true;
      return frame(FrameType.data, 0, id, Buffer.alloc(20_000));
  }
  return frame(FrameType.data, 0, id, bytes);
}

function lastWord(socket: Socket, dice: Dice, id: number, said: Said, sent: (bytes: Buffer) => void): void {
  switch (dice.below(14)) {
    case 0:
      // Silence.
      return;
    case 1:
      return sent(frame(FrameType.resetStream, 0, id, words(dice.pick(CODES))));
    case 2:
      socket.end();
      return;
    case 3:
      socket.destroy();
      return;
    case 4:
      // Half a frame, and the end.
      socket.end(frame(FrameType.data, Flag.endStream, id, Buffer.alloc(100)).subarray(0, 50));
      return;
    case 5:
      said.ended = true;
      return sent(block(dice, Flag.endStream, id, literal('x-end', '1')));
    case 6:
      // Trailers that are none, or that do not end anything.
      said.spoilt = true;
      return sent(block(dice, dice.below(2), id, dice.pick([OK, literal('X-End', '1'), literal(':path', '/')])));
    case 7:
      said.ended = true;
      sent(frame(FrameType.data, Flag.endStream, id));
      return sent(frame(FrameType.resetStream, 0, id, words(dice.pick(CODES))));
    case 8:
      said.ended = true;
      sent(frame(FrameType.data, Flag.endStream, id));
      return sent(frame(FrameType.goAway, 0, 0, words(dice.below(id + 2), dice.pick(CODES))));
    default:
      said.ended = true;
      sent(frame(FrameType.data, Flag.endStream, id));
  }
}
