import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import * as tls from 'node:tls';
import { expect, test } from 'vitest';
import { selfSigned } from '../testing/certificate.ts';
import { eventually } from '../testing/edge-harness.ts';
import { readIntoSlab } from './slab-reader.ts';

function portOf(server: { address(): unknown }): number {
  const address = server.address();
  return typeof address === 'object' && address !== null && 'port' in address ? Number(address.port) : 0;
}

test('a TLS server socket of this runtime is read into one buffer, early bytes and end included', async () => {
  const identity = selfSigned('slab.test');
  const accepted = Promise.withResolvers<tls.TLSSocket>();
  const server = tls.createServer(identity, accepted.resolve).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = tls.connect({
    host: '127.0.0.1',
    port: portOf(server),
    ca: identity.cert,
    servername: 'slab.test',
  });
  client.write('early ');
  const socket = await accepted.promise;
  await new Promise((resolve) => setTimeout(resolve, 20));
  let text = '';
  let ended = false;
  const buffers = new Set<Buffer>();
  readIntoSlab(socket, (buffer, length) => {
    text += buffer.toString('latin1', 0, length);
    if (!text.startsWith('early ') || text.length > 6) buffers.add(buffer);
  });
  socket.on('end', () => (ended = true));
  socket.resume();
  await eventually(() => text === 'early ');
  client.write('one');
  await eventually(() => text === 'early one');
  client.end('two');
  await eventually(() => ended);
  expect(text).toBe('early onetwo');
  expect(buffers.size).toBe(1);
  socket.destroy();
  server.close();
});

test('an accepted socket: nothing while paused, another reader takes over, all sockets share the buffer', async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const clients = [connect(portOf(server), '127.0.0.1'), connect(portOf(server), '127.0.0.1')];
  await eventually(() => sockets.length === 2);
  const buffers = new Set<Buffer>();
  const seen: string[] = [];
  const reader =
    (name: string) =>
    (buffer: Buffer, length: number): void => {
      buffers.add(buffer);
      seen.push(`${name}:${buffer.toString('latin1', 0, length)}`);
    };
  const [first, second] = sockets;
  if (first === undefined || second === undefined) throw new Error('no sockets');
  for (const socket of sockets) {
    readIntoSlab(socket, reader('a'));
    socket.resume();
  }
  for (const client of clients) client.write('1');
  await eventually(() => seen.length === 2);
  expect(seen).toEqual(['a:1', 'a:1']);

  first.pause();
  clients[0]?.write('2');
  clients[1]?.write('2');
  const other = clients.findIndex((client) => client.localPort === second.remotePort);
  await eventually(() => seen.length === 3);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(seen).toHaveLength(3);
  readIntoSlab(first, reader('b'));
  first.resume();
  await eventually(() => seen.length === 4);
  expect(seen.at(-1)).toBe('b:2');

  const ended = once(second, 'end');
  clients[other]?.end('3');
  await ended;
  expect(seen.at(-1)).toBe('a:3');
  expect(buffers.size).toBe(1);
  for (const socket of sockets) socket.destroy();
  for (const client of clients) client.destroy();
  server.close();
});

test('any other stream is read by its events, by the last reader given', async () => {
  const stream = new PassThrough();
  let text = '';
  readIntoSlab(stream, () => (text += 'not any more'));
  readIntoSlab(stream, (buffer, length) => (text += buffer.toString('latin1', 0, length)));
  stream.write('a');
  stream.end('b');
  await once(stream, 'end');
  expect(text).toBe('ab');
});
