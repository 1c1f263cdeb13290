/** Upstreams that tell the ledger what reaches them, answer by nonce, and can be restarted on their port. */
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { finished, pipeline, Readable } from 'node:stream';
import { freePort } from '@postern/edge/testing/free-port';
import { type Asked, bodyOf, type Ledger, numberOf } from './ledger.ts';

export interface SoakUpstream {
  readonly name: string;
  readonly port: number;
  /** Cuts every connection and comes back on the same port. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Pieces of a slow answer, and the milliseconds between them: long enough for a fault to fall into it. */
const SLOW_PIECES = 8;
const SLOW_GAP_MS = 12;

export function http1Upstream(name: string, ledger: Ledger): Promise<SoakUpstream> {
  return listen(name, () => {
    const sockets = new Set<net.Socket>();
    const server = http.createServer((request, response) => {
      const nonce = String(request.headers['x-nonce']);
      const asked = ledger.arrived(nonce, name);
      if (asked === null) {
        response.writeHead(500).end();
        return;
      }
      receive(request, nonce, asked, name, ledger, () => {
        if (ledger.hangsUp(nonce)) {
          request.socket.destroy();
          return;
        }
        response.setHeader('x-nonce', nonce);
        response.setHeader('x-upstream', name);
        if (isEven(nonce)) response.setHeader('content-length', asked.wants);
        answer(nonce, asked, response);
      });
    });
    server.on('connection', (socket) => remember(sockets, socket));
    return { server, sockets };
  });
}

/** HTTP/2 with prior knowledge. */
export function http2Upstream(name: string, ledger: Ledger): Promise<SoakUpstream> {
  return listen(name, () => {
    const sockets = new Set<net.Socket>();
    const server = http2.createServer();
    server.on('sessionError', () => undefined);
    server.on('stream', (stream, headers) => {
      stream.on('error', () => undefined);
      const nonce = String(headers['x-nonce']);
      const asked = ledger.arrived(nonce, name);
      if (asked === null) {
        stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
        return;
      }
      receive(stream, nonce, asked, name, ledger, () => {
        if (stream.destroyed) return;
        if (ledger.hangsUp(nonce)) {
          stream.session?.destroy();
          return;
        }
        stream.respond({ 'x-nonce': nonce, 'x-upstream': name });
        answer(nonce, asked, stream);
      });
    });
    server.on('connection', (socket: net.Socket) => remember(sockets, socket));
    return { server, sockets };
  });
}

/** Takes `<nonce>\n`, answers `<name>\n` and as many bytes as were asked for, then closes. */
export function tcpUpstream(name: string, ledger: Ledger): Promise<SoakUpstream> {
  return listen(name, () => {
    const sockets = new Set<net.Socket>();
    const server = net.createServer({ allowHalfOpen: true }, (socket) => {
      remember(sockets, socket);
      let line = '';
      socket.on('data', (chunk: Buffer) => {
        if (line.includes('\n')) return;
        line += chunk.toString('latin1');
        if (!line.includes('\n')) return;
        const nonce = line.slice(0, line.indexOf('\n'));
        const asked = ledger.arrived(nonce, name);
        if (asked === null) {
          socket.resetAndDestroy();
          return;
        }
        ledger.endedWhole(nonce, name, true);
        socket.write(`${name}\n`);
        answer(nonce, asked, socket);
      });
      socket.on('end', () => {
        if (!line.includes('\n')) socket.end();
      });
    });
    return { server, sockets };
  });
}

function receive(from: Readable, nonce: string, asked: Asked, name: string, ledger: Ledger, whole: () => void): void {
  const chunks: Buffer[] = [];
  from.on('data', (chunk: Buffer) => chunks.push(chunk));
  finished(from, { writable: false }, (error) => {
    if (error !== undefined && error !== null) return;
    ledger.endedWhole(nonce, name, Buffer.concat(chunks).equals(bodyOf(nonce, asked.sends)));
    whole();
  });
}

/** Every fourth answer comes piece by piece. */
function answer(nonce: string, asked: Asked, to: NodeJS.WritableStream): void {
  const body = bodyOf(nonce, asked.wants);
  if (numberOf(nonce) % 4 !== 0) to.end(body);
  else pipeline(Readable.from(slowly(body)), to, () => undefined);
}

async function* slowly(body: Buffer): AsyncGenerator<Buffer> {
  const size = Math.max(1, Math.ceil(body.length / SLOW_PIECES));
  for (let at = 0; at < body.length; at += size) {
    yield body.subarray(at, at + size);
    await new Promise((resolve) => setTimeout(resolve, SLOW_GAP_MS));
  }
}

function isEven(nonce: string): boolean {
  return numberOf(nonce) % 2 === 0;
}

function remember(sockets: Set<net.Socket>, socket: net.Socket): void {
  sockets.add(socket);
  socket.on('error', () => socket.destroy());
  socket.on('close', () => sockets.delete(socket));
}

interface Open {
  readonly server: net.Server;
  readonly sockets: ReadonlySet<net.Socket>;
}

async function listen(name: string, create: () => Open): Promise<SoakUpstream> {
  const open = async (port: number): Promise<Open> => {
    const made = create();
    await new Promise<void>((resolve, reject) => {
      made.server.once('error', reject);
      made.server.listen(port, '127.0.0.1', resolve);
    });
    return made;
  };
  const close = async ({ server, sockets }: Open): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    // As a killed process leaves them.
    for (const socket of sockets) socket.resetAndDestroy();
    await closed;
  };
  // One that no connection of anybody's gets for its own end while it is away.
  const port = await freePort();
  let current = await open(port);
  return {
    name,
    port,
    async restart() {
      await close(current);
      await new Promise((resolve) => setTimeout(resolve, 50));
      current = await open(port);
    },
    close: () => close(current),
  };
}
