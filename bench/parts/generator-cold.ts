/**
 * Connections that serve one request each: connect, shake hands (in full, or taking up a session), ask, read, leave, and
 * begin again. Prints `ready`, waits for a line on its input, then loads for the asked time and prints one JSON line
 * (LoadResult). Argument: JSON of LoadOrder.
 */
import net, { type Socket } from 'node:net';
import process from 'node:process';
import tls from 'node:tls';
import { createResponseParser } from '@postern/protocol';
import type { LoadOrder } from '../load.ts';
import { closingRequest } from './closing-request.ts';
import { tellLoad } from './tell-load.ts';

const order: LoadOrder = JSON.parse(process.argv[2] ?? '{}');
const request = closingRequest(order);
/** One for all: making it costs more than a handshake. */
const secureContext = tls.createSecureContext();
const resumes = order.by === 'resumed';
const latencies: number[] = [];
let errors = 0;
let session: Buffer | undefined;

/** One whole visit. @returns whether it was answered 200 */
function visit(onSession?: (ticket: Buffer) => void): Promise<boolean> {
  return new Promise((resolve) => {
    const socket: Socket = order.tls
      ? tls.connect({
          host: order.host,
          port: order.port,
          servername: order.hostHeader.split(':')[0] ?? '',
          // What is measured is the cost of TLS, not the trust in a certificate made for this run.
          rejectUnauthorized: false,
          secureContext,
          ...(resumes && session !== undefined ? { session } : {}),
        })
      : net.connect({ host: order.host, port: order.port });
    socket.setNoDelay(true);
    let status = 0;
    let whole = false;
    const parser = createResponseParser({
      onHead: (head) => {
        status = head.status;
      },
      onBody: () => undefined,
      onTrailers: () => undefined,
      onEnd: () => {
        whole = true;
        const taken =
          !resumes || onSession !== undefined || (socket instanceof tls.TLSSocket && socket.isSessionReused());
        socket.destroy();
        resolve(status === 200 && taken);
      },
    });
    if (onSession !== undefined) socket.once('session', onSession);
    socket.once(order.tls ? 'secureConnect' : 'connect', () => {
      parser.expect('GET');
      socket.write(request);
    });
    socket.on('data', (chunk: Buffer) => {
      parser.execute(chunk, 0, chunk.length);
      if (parser.failure !== null) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (!whole) resolve(false);
    });
  });
}

async function drive(until: number): Promise<void> {
  while (performance.now() < until) {
    const sentAt = process.hrtime.bigint();
    if (await visit()) latencies.push(Number(process.hrtime.bigint() - sentAt) / 1_000);
    else errors += 1;
  }
}

if (resumes) await visit((ticket) => (session = ticket));
console.log('ready');
process.stdin.once('data', () => {
  const startedAt = process.hrtime.bigint();
  const until = performance.now() + order.seconds * 1_000;
  const drivers = Array.from({ length: order.connections }, () => drive(until));
  void Promise.all(drivers).then(() => tellLoad(latencies, errors, startedAt));
});
