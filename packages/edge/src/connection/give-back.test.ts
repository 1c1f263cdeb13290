import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { selfSigned } from '../testing/certificate.ts';
import { giveBack } from './give-back.ts';
import { NO_DEMANDS, TlsTerminators } from './tls-terminators.ts';

/** What the first buffer of a connection of the runtime holds (NodeBIO). */
const FIRST_BUFFER = 1_024;

/** A connection that has brought `bytes`, which have been looked at. */
async function peeked(bytes: Buffer, act: (socket: Socket, seen: Buffer) => unknown): Promise<void> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const client = connect(typeof address === 'object' ? (address?.port ?? 0) : 0, '127.0.0.1');
  client.on('error', () => undefined);
  const [socket]: Socket[] = await once(server, 'connection');
  if (socket === undefined) throw new Error('no connection');
  client.write(bytes);
  const chunks: Buffer[] = [];
  await new Promise<void>((resolve) => {
    const take = (chunk: Buffer): void => {
      chunks.push(chunk);
      if (Buffer.concat(chunks).length < bytes.length) return;
      socket.off('data', take);
      socket.pause();
      resolve();
    };
    socket.on('data', take);
  });
  try {
    await act(socket, Buffer.concat(chunks));
  } finally {
    client.destroy();
    socket.destroy();
    server.close();
  }
}

/** A handshake record of so many bytes in all, which says nothing. */
function record(length: number, minor = 1): Buffer {
  const bytes = Buffer.from(Array.from({ length }, (_, at) => at & 0xff));
  bytes.set([22, 3, minor, (length - 5) >> 8, (length - 5) & 0xff]);
  return bytes;
}

/** As the runtime's TLS takes what has been read of a socket before it was given it. */
function taken(socket: Socket): Buffer[] {
  const pieces: Buffer[] = [];
  for (let piece: unknown = socket.read(); piece instanceof Buffer; piece = socket.read()) pieces.push(piece);
  return pieces;
}

test.each([6, 517, 1_000, 1_001, 1_586, 2_000, 16_000])(
  'a hello of %d bytes comes back whole, in pieces that leave the first buffer of the connection unfilled',
  async (length) => {
    const hello = record(length);
    await peeked(hello, (socket, seen) => {
      giveBack(socket, seen);
      const pieces = taken(socket);
      expect(Buffer.concat(pieces).equals(hello)).toBe(true);
      expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(FIRST_BUFFER);
      expect(socket.listenerCount('data')).toBe(0);
      expect(socket.isPaused()).toBe(true);
    });
  },
);

test.each([
  ['two records, the first of them no hello', Buffer.concat([record(600), record(1_200)])],
  ['one record that is no hello', record(1_800)],
  ['a version that nobody has', record(1_800, 0xff)],
  ['the version of SSL 3', record(1_800, 0)],
  ['the longest record', record(16_389)],
])('a handshake that fails (%s) fails once, and nowhere else', async (_what, hello) => {
  const reasons: string[] = [];
  const terminators = new TlsTerminators(5_000, (reason) => reasons.push(reason));
  await peeked(hello, async (socket, seen) => {
    giveBack(socket, seen);
    expect(await terminators.terminate(socket, selfSigned('hello.test'), NO_DEMANDS)).toBe(null);
  });
  expect(reasons).toHaveLength(1);
});
