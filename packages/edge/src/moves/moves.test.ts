/** What may move, and how much of it at once. That it works: `test/system/workers-moves.test.ts`. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readIntoSlab } from '../connection/slab-reader.ts';
import { type MovedVisitor, Visitor } from '../connection/visitor.ts';
import { type MoveChannel, Moves } from './moves.ts';

interface Sent {
  readonly edge: string;
  readonly visitor: MovedVisitor;
  readonly settle: (stays: boolean) => void;
}

let sent: Sent[];
let wanted: boolean;
let clock: number;
const closing: (() => unknown)[] = [];
const channel: MoveChannel = {
  wanted: () => wanted,
  send: (edge, _socket, visitor, settle) => void sent.push({ edge, visitor, settle }),
};

beforeEach(() => {
  sent = [];
  wanted = true;
  clock = 1_000;
});
afterEach(() => closing.splice(0).forEach((close) => close()));

const moving = (): Moves =>
  new Moves(
    channel,
    () => ({ listener: 'http', counted: 7 }),
    () => clock,
  );

/** @param read as the edge reads it */
async function accepted(read = true): Promise<Visitor> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect(port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  if (read) readIntoSlab(socket, () => {});
  closing.push(
    () => [client, socket].forEach((one) => one.destroy()),
    () => server.close(),
  );
  const address = { ip: '192.0.2.7', port: 4_000 };
  const facts = { client: address, server: address, region: 'r', startedAt: 5, fromTrustedProxy: false };
  return new Visitor(socket, facts, { bytesIn: 10, bytesOut: 20, moves: 1 });
}

test('what it was goes with it', async () => {
  const visitor = await accepted();
  const settled: boolean[] = [];
  const moves = moving();
  expect(moves.begin('w2', visitor, (stays) => settled.push(stays))).toBe(true);
  expect(visitor.socket.isPaused()).toBe(true);
  expect(sent[0]?.edge).toBe('w2');
  expect(sent[0]?.visitor).toEqual({
    listener: 'http',
    counted: 7,
    client: { ip: '192.0.2.7', port: 4_000 },
    server: { ip: '192.0.2.7', port: 4_000 },
    startedAt: 5,
    fromTrustedProxy: false,
    bytesIn: 10,
    bytesOut: 20,
    moves: 2,
  });
  sent[0]?.settle(false);
  expect(settled).toEqual([false]);
  expect(moves.moved).toBe(1);
});

test('four at once, and two hundred in a second', async () => {
  const visitor = await accepted();
  const moves = moving();
  const stays: boolean[] = [];
  const begin = (): boolean => moves.begin('w2', visitor, (one) => stays.push(one));
  expect(Array.from({ length: 6 }, begin)).toEqual([true, true, true, true, false, false]);
  for (const { settle } of sent.splice(0)) settle(true);
  let more = 0;
  for (; begin(); more += 1) for (const { settle } of sent.splice(0)) settle(true);
  expect(more).toBe(196);
  clock += 10;
  expect(begin()).toBe(true);
  expect(stays).toHaveLength(200);
  expect(moves.moved).toBe(0);
});

test('nothing moves that is not wanted there, or whose bytes might be here already', async () => {
  const moves = moving();
  expect(moves.begin('w2', await accepted(false), () => {})).toBe(false);
  wanted = false;
  expect(moves.begin('w2', await accepted(), () => {})).toBe(false);
  expect(sent).toEqual([]);
});

test('a connection has to cross longer each time, and stays at last', () => {
  const moves = moving();
  expect([0, 1, 2, 3, 4].map((before) => moves.runBefore(before))).toEqual([64, 256, 1_024, 4_096, Infinity]);
});
