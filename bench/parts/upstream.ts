/**
 * The service behind everything that is measured, as cheap as Node allows: raw sockets, no parser. It answers any
 * request without a body with the same few bytes, `GET /down/<bytes>` with that many, and `POST /up` with what it
 * counted; a WebSocket gets its messages back. Prints its port.
 */
import { createHash } from 'node:crypto';
import net, { type Socket } from 'node:net';

const BODY = 'hello from the upstream\n';
const HELLO = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
  'latin1',
);
const NOTHING: Buffer = Buffer.alloc(0);
/** `GET /w…` */
const WEBSOCKET_PATH = 0x77;
/** RFC 6455 §1.3 */
const WEBSOCKET = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const BLOCK = Buffer.alloc(262_144, 'postern ');

/** Requests come one at a time per connection (the load generators do not pipeline), each head in one piece. */
function serve(socket: Socket): void {
  let uploading = 0;
  let uploaded = 0;
  let echoing = false;
  let rest = NOTHING;
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    if (echoing) {
      echo(chunk);
    } else if (uploading > 0) {
      count(chunk.length);
    } else if (chunk[5] === WEBSOCKET_PATH) {
      upgrade(chunk);
    } else if (chunk[0] === 71 && chunk.indexOf('GET /down/') !== 0) {
      socket.write(HELLO);
    } else {
      startBulk(chunk);
    }
  });

  function upgrade(head: Buffer): void {
    const key = /sec-websocket-key: *(\S+)/i.exec(head.toString('latin1'))?.[1] ?? '';
    const accept = createHash('sha1').update(`${key}${WEBSOCKET}`).digest('base64');
    const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: websocket'];
    socket.write(`${lines.join('\r\n')}\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
    echoing = true;
  }

  /** Frames of up to 125 bytes, each masked as clients must (RFC 6455 §5.2), go back unmasked. */
  function echo(chunk: Buffer): void {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= 6) {
      const length = (rest[1] ?? 0) & 127;
      if (rest.length < 6 + length) break;
      const frame = Buffer.allocUnsafe(2 + length);
      frame[0] = rest[0] ?? 0;
      frame[1] = length;
      for (let at = 0; at < length; at++) frame[2 + at] = (rest[6 + at] ?? 0) ^ (rest[2 + (at & 3)] ?? 0);
      socket.write(frame);
      rest = rest.subarray(6 + length);
    }
  }

  function startBulk(chunk: Buffer): void {
    const headEnd = chunk.indexOf('\r\n\r\n') + 4;
    const head = chunk.toString('latin1', 0, headEnd);
    const down = /^GET \/down\/(\d+) /.exec(head);
    if (down !== null) {
      send(Number(down[1]));
      return;
    }
    uploading = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    if (/\r\nexpect:/i.test(head)) socket.write('HTTP/1.1 100 Continue\r\n\r\n');
    count(chunk.length - headEnd);
  }

  function count(bytes: number): void {
    uploading -= bytes;
    uploaded += bytes;
    if (uploading > 0) return;
    const text = `${uploaded}\n`;
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`, 'latin1');
    uploaded = 0;
  }

  function send(bytes: number): void {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${bytes}\r\n\r\n`, 'latin1');
    let left = bytes;
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
}

const server = net.createServer(serve);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(typeof address === 'object' && address !== null ? address.port : 0);
});
