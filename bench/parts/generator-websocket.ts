/**
 * WebSocket messages: connections that send one small message, and the next one when its echo has come. Connects and
 * upgrades first, prints `ready`, waits for a line on its input, then loads for the asked time and prints one JSON line
 * (LoadResult). Argument: JSON of LoadOrder.
 */
import net, { type Socket } from 'node:net';
import process from 'node:process';
import type { LoadOrder } from '../load.ts';
import { KeptLoad } from './kept-load.ts';

const PAYLOAD = 32;
/** A final text frame of 32 bytes, masked with zeros (RFC 6455 §5.2), and how many bytes its echo has. */
const MESSAGE = Buffer.concat([Buffer.from([0x81, 0x80 | PAYLOAD, 0, 0, 0, 0]), Buffer.alloc(PAYLOAD, 'postern ')]);
const ECHO_BYTES = 2 + PAYLOAD;

const order: LoadOrder = JSON.parse(process.argv[2] ?? '{}');
const load = new KeptLoad(order);

function connect(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: order.host, port: order.port });
    socket.setNoDelay(true);
    socket.once('error', reject);
    const lines = [
      `GET ${order.path} HTTP/1.1`,
      `Host: ${order.hostHeader}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    let head = '';
    const read = (chunk: Buffer): void => {
      head += chunk.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      socket.off('data', read);
      if (head.startsWith('HTTP/1.1 101')) resolve(socket);
      else reject(new Error(head));
    };
    socket.on('data', read);
  });
}

function drive(socket: Socket): void {
  let sentAt = 0n;
  let awaited = 0;
  const send = (): void => {
    sentAt = process.hrtime.bigint();
    awaited = ECHO_BYTES;
    socket.write(MESSAGE);
  };
  socket.on('data', (chunk: Buffer) => {
    awaited -= chunk.length;
    if (awaited > 0) return;
    if (awaited < 0) load.failed();
    load.answered(sentAt);
    if (load.running) send();
    else load.ended();
  });
  socket.once('close', () => {
    if (!load.running) return;
    load.failed();
    load.ended();
  });
  load.began();
  send();
}

const sockets = await Promise.all(Array.from({ length: order.connections }, connect));
load.run(() => {
  for (const socket of sockets) drive(socket);
});
