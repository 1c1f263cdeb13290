import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import process from 'node:process';
import { connect, type TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { selfSigned } from '../testing/certificate.ts';
import { AGENT_DEMANDS, TlsTerminators } from './tls-terminators.ts';

const MEGABYTES = 16;

/** Of this process, which only writes at the other end. */
function readsSoFar(): number {
  return Number(/^syscr: (\d+)/m.exec(readFileSync('/proc/self/io', 'latin1'))?.[1]);
}

test.runIf(process.platform === 'linux')('what an agent sends is read in pieces of whole records', async () => {
  const identity = selfSigned('agents.test');
  const terminators = new TlsTerminators(5_000, () => {});
  const accepted = Promise.withResolvers<TLSSocket | null>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    // As the connection machine does: it has looked at the ClientHello.
    socket.once('data', (hello: Buffer) => {
      socket.pause();
      socket.unshift(hello);
      terminators.terminate(socket, identity, AGENT_DEMANDS).then(accepted.resolve, accepted.reject);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const client = connect({ host: '127.0.0.1', port, ca: identity.cert, servername: 'agents.test' });
  const socket = await accepted.promise;
  if (socket === null) throw new Error('no handshake');

  let received = 0;
  socket.on('data', (chunk: Buffer) => (received += chunk.length));
  const before = readsSoFar();
  client.end(Buffer.alloc(MEGABYTES * 1_000_000));
  await once(socket, 'end');
  expect(received).toBe(MEGABYTES * 1_000_000);
  // 61 records of 16 KiB each; it was 112.
  expect((readsSoFar() - before) / MEGABYTES).toBeLessThan(85);
  socket.destroy();
  server.close();
});
