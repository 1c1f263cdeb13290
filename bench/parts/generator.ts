/**
 * Our load generator: keep-alive connections on raw sockets, one request after the other on each, every response parsed
 * strictly. Connects first, prints `ready`, waits for a line on its input, then loads for the asked time and prints one
 * JSON line (LoadResult). Argument: JSON of LoadTarget and duration.
 */
import net, { type Socket } from 'node:net';
import process from 'node:process';
import tls from 'node:tls';
import { createResponseParser, encodeRequestHead } from '@postern/protocol';
import type { LoadOrder } from '../load.ts';
import { KeptLoad } from './kept-load.ts';

const order: LoadOrder = JSON.parse(process.argv[2] ?? '{}');
const request = encodeRequestHead('GET', order.path, [
  'Host',
  order.hostHeader,
  'Accept',
  '*/*',
  ...(order.headers ?? []),
]);
const load = new KeptLoad(order);

function connect(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = order.tls
      ? tls.connect({
          host: order.host,
          port: order.port,
          servername: order.hostHeader.split(':')[0] ?? '',
          // What is measured is the cost of TLS, not the trust in a certificate made for this run.
          rejectUnauthorized: false,
        })
      : net.connect({ host: order.host, port: order.port });
    socket.setNoDelay(true);
    socket.once(order.tls ? 'secureConnect' : 'connect', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Sends a request and the next one as soon as its response has ended, until time is up. */
function drive(socket: Socket): void {
  let sentAt = 0n;
  const fail = (): void => {
    if (!load.running) return;
    load.failed();
    socket.destroy();
    load.ended();
  };
  const parser = createResponseParser({
    onHead: (head) => {
      if (head.status !== 200) load.failed();
    },
    onBody: () => undefined,
    onTrailers: () => undefined,
    onEnd: () => {
      load.answered(sentAt);
      if (load.running) send();
      else load.ended();
    },
  });
  const send = (): void => {
    sentAt = process.hrtime.bigint();
    parser.expect('GET');
    socket.write(request);
  };
  socket.on('data', (chunk: Buffer) => {
    parser.execute(chunk, 0, chunk.length);
    if (parser.failure !== null) fail();
  });
  socket.on('error', fail);
  socket.on('end', fail);
  load.began();
  send();
}

const sockets = await Promise.all(Array.from({ length: order.connections }, connect));
load.run(() => {
  for (const socket of sockets) drive(socket);
});
