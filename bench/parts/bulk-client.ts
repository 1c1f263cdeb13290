/**
 * One transfer of many bytes on one connection. Connects, prints `ready`, waits for a line on its input, transfers, and
 * prints one JSON line (BulkResult). Argument: JSON of BulkOrder.
 */
import net, { type Socket } from 'node:net';
import process from 'node:process';
import { createResponseParser, encodeRequestHead } from '@postern/protocol';
import type { BulkOrder, BulkResult } from '../bulk.ts';

const order: BulkOrder = JSON.parse(process.argv[2] ?? '{}');
const BLOCK = Buffer.alloc(262_144, 'postern ');

function upload(socket: Socket): void {
  let left = order.bytes;
  const more = (): void => {
    while (left > 0) {
      const block = left >= BLOCK.length ? BLOCK : BLOCK.subarray(0, left);
      left -= block.length;
      if (!socket.write(block) && left > 0) {
        socket.once('drain', more);
        return;
      }
    }
  };
  more();
}

function run(socket: Socket): void {
  const startedAt = process.hrtime.bigint();
  let received = 0;
  let text = '';
  const end = (error: string): void => {
    const seconds = Number(process.hrtime.bigint() - startedAt) / 1e9;
    const bytes = order.direction === 'down' ? received : Number(text);
    const result: BulkResult = { seconds, error: error !== '' ? error : bytes === order.bytes ? '' : `${bytes} bytes` };
    process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
  };
  let status = 0;
  const parser = createResponseParser({
    onHead: (head) => {
      status = head.status;
    },
    onBody: (chunk, from, to) => {
      received += to - from;
      if (order.direction === 'up') text += chunk.toString('latin1', from, to);
    },
    onTrailers: () => undefined,
    onEnd: () => end(status === 200 ? '' : `status ${status}`),
  });
  const down = order.direction === 'down';
  parser.expect(down ? 'GET' : 'POST');
  socket.on('data', (chunk: Buffer) => {
    for (let at = 0; at < chunk.length && parser.failure === null;) at = parser.execute(chunk, at, chunk.length);
    if (parser.failure !== null) end(parser.failure.reason);
  });
  socket.on('error', (error) => end(error.message));
  socket.on('end', () => end('the connection ended'));
  const host = ['Host', order.hostHeader];
  socket.write(
    down
      ? encodeRequestHead('GET', `/down/${order.bytes}`, host)
      : encodeRequestHead('POST', '/up', [...host, 'Content-Length', String(order.bytes)]),
  );
  if (!down) upload(socket);
}

const socket = net.connect({ host: order.host, port: order.port }, () => console.log('ready'));
socket.setNoDelay(true);
process.stdin.once('data', () => run(socket));
