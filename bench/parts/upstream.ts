/**
 * The service behind everything that is measured, as cheap as Node allows: raw sockets, no parser. It answers any
 * request without a body with the same few bytes, `GET /down/<bytes>` with that many, and `POST /up` with what it
 * counted. Prints its port.
 */
import net, { type Socket } from 'node:net';

const BODY = 'hello from the upstream\n';
const HELLO = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
  'latin1',
);
const BLOCK = Buffer.alloc(262_144, 'postern ');

/** Requests come one at a time per connection (the load generators do not pipeline), each head in one piece. */
function serve(socket: Socket): void {
  let uploading = 0;
  let uploaded = 0;
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    if (uploading > 0) {
      count(chunk.length);
    } else if (chunk[0] === 71 && chunk.indexOf('GET /down/') !== 0) {
      socket.write(HELLO);
    } else {
      startBulk(chunk);
    }
  });

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
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`, 'latin1');
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
