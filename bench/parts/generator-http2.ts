/**
 * The same load over HTTP/2: a few connections with several streams each, one request after the other on each stream.
 * Connects first, prints `ready`, waits for a line on its input, then loads for the asked time and prints one JSON line
 * (LoadResult). Argument: JSON of LoadOrder.
 */
import http2, { type ClientHttp2Session } from 'node:http2';
import process from 'node:process';
import tls from 'node:tls';
import type { LoadOrder } from '../load.ts';
import { KeptLoad } from './kept-load.ts';

const STREAMS_EACH = 8;

const order: LoadOrder = JSON.parse(process.argv[2] ?? '{}');
const load = new KeptLoad(order);

function connect(): Promise<ClientHttp2Session> {
  const [host = ''] = order.hostHeader.split(':');
  return new Promise((resolve, reject) => {
    const session = http2.connect(`https://${order.hostHeader}`, {
      createConnection: () =>
        tls.connect({
          host: order.host,
          port: order.port,
          servername: host,
          ALPNProtocols: ['h2'],
          // What is measured is the cost of TLS, not the trust in a certificate made for this run.
          rejectUnauthorized: false,
        }),
    });
    session.once('remoteSettings', () => resolve(session));
    session.once('error', reject);
  });
}

/** Sends a request, and the next one as soon as its answer has ended, until time is up. */
function drive(session: ClientHttp2Session): void {
  const sentAt = process.hrtime.bigint();
  const stream = session.request({ ':path': order.path });
  let status = 0;
  stream.on('response', (headers) => {
    status = headers[':status'] ?? 0;
  });
  stream.on('error', () => undefined);
  stream.on('close', () => {
    if (status === 200) load.answered(sentAt);
    else load.failed();
    if (load.running && !session.destroyed) drive(session);
    else load.ended();
  });
  stream.resume();
  stream.end();
}

const streams = Math.min(STREAMS_EACH, order.connections);
const sessions = await Promise.all(Array.from({ length: Math.ceil(order.connections / streams) }, connect));
load.run(() => {
  for (const session of sessions) {
    for (let stream = 0; stream < streams; stream += 1) {
      load.began();
      drive(session);
    }
  }
});
