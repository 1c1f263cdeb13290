/**
 * An origin server that takes whatever looks remotely like HTTP, as some real ones do, and keeps a ledger of it: every
 * connection with its raw bytes and with the requests that it believes to have seen. What such a server can misread must
 * never reach it.
 */
import net from 'node:net';
import { portOf } from '../port-of.ts';
import { type LenientMessage, LenientReader } from './lenient-reader.ts';

export interface LedgerConnection {
  /** Port of the origin that took it. */
  readonly port: number;
  readonly raw: Buffer;
  /** Complete requests, in order. */
  readonly requests: readonly LenientMessage[];
  /** Bytes of a request that has begun are there. */
  readonly unfinished: boolean;
}

/** What is written for a request; null = nothing more on this connection. */
export interface Script {
  /** Written one after another, each in a segment of its own. */
  readonly pieces: readonly Buffer[];
  readonly ending: 'keep' | 'end' | 'reset';
}

class Taken implements LedgerConnection {
  readonly port: number;
  readonly reader = new LenientReader('coding-first');
  readonly #chunks: Buffer[] = [];
  constructor(port: number) {
    this.port = port;
  }
  get raw(): Buffer {
    return Buffer.concat(this.#chunks);
  }
  get requests(): readonly LenientMessage[] {
    return this.reader.messages;
  }
  get unfinished(): boolean {
    return this.reader.pending > 0;
  }
  keep(chunk: Buffer): void {
    this.#chunks.push(Buffer.from(chunk));
  }
}

/** Several listening ports with one ledger. */
export class Origin {
  readonly #servers: net.Server[] = [];
  readonly #sockets = new Set<net.Socket>();
  #connections: Taken[] = [];
  /** Answers of a request with this token; the default is {@link ownAnswer}. */
  readonly scripts = new Map<string, Script>();

  async listen(): Promise<number> {
    const server = net.createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#accept(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, resolve);
    });
    this.#servers.push(server);
    return portOf(server);
  }

  /** Connections on which the token has arrived anywhere in the bytes. */
  connectionsOf(token: string): readonly LedgerConnection[] {
    return this.#connections.filter((connection) => names(connection.raw.toString('latin1'), token));
  }

  /** Forgets what has been looked at. */
  forget(connections: readonly LedgerConnection[]): void {
    const gone = new Set(connections);
    this.#connections = this.#connections.filter((connection) => !gone.has(connection));
  }

  get sockets(): number {
    return this.#sockets.size;
  }

  async close(): Promise<void> {
    const closed = this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }

  #accept(socket: net.Socket): void {
    const connection = new Taken(socket.localPort ?? 0);
    this.#connections.push(connection);
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('end', () => socket.end());
    let answered = 0;
    socket.on('data', (chunk: Buffer) => {
      connection.keep(chunk);
      connection.reader.push(chunk);
      if (connection.reader.wantsContinue) socket.write('HTTP/1.1 100 Continue\r\n\r\n');
      for (; answered < connection.requests.length; answered += 1) {
        const message = connection.requests[answered];
        if (message !== undefined) this.#answer(socket, message, answered);
      }
    });
  }

  #answer(socket: net.Socket, message: LenientMessage, order: number): void {
    const script = this.scripts.get(tokenOf(message.target)?.whole ?? '');
    if (script === undefined) {
      socket.write(ownAnswer(message, order));
      return;
    }
    void play(socket, script);
  }
}

async function play(socket: net.Socket, { pieces, ending }: Script): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed) return;
    socket.write(piece);
    if (pieces.length > 1) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  if (ending === 'end') socket.end();
  else if (ending === 'reset') socket.resetAndDestroy();
}

/** Says back which request it answers, so that a response at the wrong place is seen. */
export function ownAnswer({ method, target, body }: LenientMessage, order: number): Buffer {
  const text = JSON.stringify({ order, method, target, body });
  const length = Buffer.byteLength(text, 'latin1');
  const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;
  return Buffer.from(method === 'HEAD' ? head : head + text, 'latin1');
}

/** Whether a token is in a text. `t3r17` is not that of row 1, which may be under way beside it. */
export function names(text: string, token: string): boolean {
  return new RegExp(`${token}(?!\\d)`).test(text);
}

/** Row tokens look like `t3r17`: the place and the row that a request belongs to. */
export function tokenOf(target: string): { readonly token: string; readonly whole: string } | null {
  const match = /\/(t\d+r\d+)(\/[a-z]+)?/.exec(target);
  return match === null ? null : { token: match[1] ?? '', whole: match[0] };
}
