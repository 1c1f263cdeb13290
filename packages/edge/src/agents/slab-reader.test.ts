import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { selfSigned } from '../testing/certificate.ts';
import { eventually } from '../testing/edge-harness.ts';
import { readIntoSlab } from './slab-reader.ts';

test('a TLS server socket of this runtime is read into one buffer, early bytes and end included', async () => {
  const identity = selfSigned('slab.test');
  const accepted = Promise.withResolvers<TLSSocket>();
  const server = createServer(identity, accepted.resolve).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const client = connect({ host: '127.0.0.1', port, ca: identity.cert, servername: 'slab.test' });
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

test('any other stream is read by its events', async () => {
  const stream = new PassThrough();
  let text = '';
  readIntoSlab(stream, (buffer, length) => (text += buffer.toString('latin1', 0, length)));
  stream.write('a');
  stream.end('b');
  await once(stream, 'end');
  expect(text).toBe('ab');
});
