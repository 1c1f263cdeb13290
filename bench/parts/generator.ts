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
import { tellLoad } from './tell-load.ts';

const order: LoadOrder = JSON.parse(process.argv[2] ?? '{}');
const request = encodeRequestHead('GET', order.path, [
  'Host',
  order.hostHeader,
  'Accept',
  '*/*',
  ...(order.headers ?? []),
]);
const latencies: number[] = [];
let errors = 0;
let running = true;
let inFlight = 0;
let startedAt = 0n;

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
    if (!running) return;
    errors += 1;
    inFlight -= 1;
    socket.destroy();
    finishWhenQuiet();
  };
  const parser = createResponseParser({
    onHead: (head) => {
      if (head.status !== 200) errors += 1;
    },
    onBody: () => undefined,
    onTrailers: () => undefined,
    onEnd: () => {
      latencies.push(Number(process.hrtime.bigint() - sentAt) / 1_000);
      if (running) {
        send();
        return;
      }
      inFlight -= 1;
      finishWhenQuiet();
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
  inFlight += 1;
  send();
}

function finishWhenQuiet(): void {
  if (inFlight === 0) tellLoad(latencies, errors, startedAt);
}

const sockets = await Promise.all(Array.from({ length: order.connections }, connect));
console.log('ready');
process.stdin.once('data', () => {
  startedAt = process.hrtime.bigint();
  for (const socket of sockets) drive(socket);
  setTimeout(() => {
    running = false;
    finishWhenQuiet();
  }, order.seconds * 1_000);
});
