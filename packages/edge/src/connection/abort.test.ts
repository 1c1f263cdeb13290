import { connect, createServer, Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { selfSigned } from '../testing/certificate.ts';
import { abort } from './abort.ts';
import { NO_DEMANDS, TlsTerminators } from './tls-terminators.ts';

const accepted: ((socket: Socket) => void)[] = [];
function take(socket: Socket): void {
  socket.on('error', () => {});
  accepted.shift()?.(socket);
}
const plain = createServer({ allowHalfOpen: true }, take);
const secure = createTlsServer({ ...selfSigned('app.test'), allowHalfOpen: true }, take);

beforeAll(async () => {
  for (const server of [plain, secure]) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  plain.close();
  secure.close();
});

function portOf(server: typeof plain): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe.each(['tcp', 'tls'])('over %s, a connection that is aborted', (kind) => {
  test.each([
    ['as it is', (): void => {}],
    ['in the moment of its end', (socket: Socket): void => void socket.end()],
    ['with bytes and its end on their way', (socket: Socket): void => void socket.end(Buffer.alloc(8_000_000))],
  ])('%s is gone for its peer', async (_, before) => {
    for (let turns = 0; turns < 4; turns++) {
      const came = new Promise<Socket>((resolve) => accepted.push(resolve));
      const peer =
        kind === 'tcp'
          ? connect({ port: portOf(plain), host: '127.0.0.1', allowHalfOpen: true })
          : connectTls({ port: portOf(secure), host: '127.0.0.1', rejectUnauthorized: false });
      const gone = new Promise<void>((resolve) => peer.on('close', () => resolve()));
      peer.on('error', () => {});
      const socket = await came;
      // Within the runtime's own callback it would end the process (abortLater).
      await new Promise((resolve) => setImmediate(resolve));
      // More than the system takes: the peer learns of a reset, and of an end alone it would not.
      peer.write(Buffer.alloc(20_000_000));
      socket.pause();
      before(socket);
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
      abort(socket);
      await gone;
      expect(socket.destroyed).toBe(true);
    }
  });
});

test('an end that never leaves is waited for no longer than a second', async () => {
  class Stuck extends Socket {
    override _final(): void {}
  }
  const socket = new Stuck({ handle: undefined });
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  socket.end();
  abort(socket);
  expect(socket.destroyed).toBe(false);
  await closed;
});

test('a TLS connection may be aborted as soon as it is there', async () => {
  const terminators = new TlsTerminators(5_000, () => {});
  const server = createServer((socket) => {
    socket.on('error', () => {});
    void terminators.terminate(socket, selfSigned('app.test'), NO_DEMANDS).then((secured) => secured && abort(secured));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  for (let count = 0; count < 20; count++) {
    const peer = connectTls({ port: portOf(server), host: '127.0.0.1', rejectUnauthorized: false });
    peer.on('error', () => {});
    await new Promise((resolve) => peer.on('close', resolve));
  }
  server.close();
});
