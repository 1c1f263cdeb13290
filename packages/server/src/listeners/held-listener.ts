import { createServer, type Server, type Socket } from 'node:net';
import type { Address } from '../config/addresses.ts';
import { BACKLOG, listen } from './listen.ts';

/** Whoever comes while the platform is loading; more are turned away, as the next attempt of theirs may be served. */
const MOST_WAITING = 10_000;

/** One listening socket that may be open before there is anybody to serve it: who comes early waits. */
export class HeldListener {
  readonly #server: Server;
  readonly #waiting = new Set<Socket>();
  #port = 0;
  #serve: ((socket: Socket, port: number) => void) | null = null;

  private constructor(pauseOnConnect: boolean) {
    // As the edge opens its own: half-closed connections are served to their end.
    const options = { allowHalfOpen: true, noDelay: true, pauseOnConnect };
    this.#server = createServer(options, (socket) => this.#welcome(socket));
  }

  /**
   * Rejects with the system's error.
   * @param unread not a byte of who comes is read: another process will
   */
  static async bind(address: Address, unread = false): Promise<HeldListener> {
    const held = new HeldListener(unread);
    await listen(held.#server, address);
    return held.#ready();
  }

  /** Of a socket that another process has opened and given to this one, and that it keeps open. */
  static async adopt(fd: number, unread = false): Promise<HeldListener> {
    const held = new HeldListener(unread);
    await new Promise<void>((resolve, reject) => {
      held.#server.once('error', reject);
      held.#server.listen({ fd, backlog: BACKLOG }, resolve);
    });
    return held.#ready();
  }

  get address(): Address {
    const bound = this.#server.address();
    return typeof bound === 'object' && bound !== null
      ? { host: bound.address, port: bound.port }
      : { host: '', port: 0 };
  }

  /** Hands over who waits and who comes. */
  serve(onConnection: (socket: Socket, port: number) => void): void {
    this.#serve = onConnection;
    const early = [...this.#waiting];
    this.#waiting.clear();
    for (const socket of early) onConnection(socket, this.#port);
  }

  /** Gives the listening socket itself to an HTTP server, with those who wait. */
  async give(server: Server): Promise<void> {
    await new Promise<void>((resolve) => server.listen(this.#server, BACKLOG, resolve));
    this.serve((socket) => server.emit('connection', socket));
  }

  /** Accepts nothing more, so that somebody else may listen here. @returns who still waits */
  leave(): readonly Socket[] {
    this.#server.close();
    const early = [...this.#waiting];
    this.#waiting.clear();
    return early;
  }

  /** Accepts nothing more, and ends who still waits. */
  close(): void {
    this.#server.close();
    for (const socket of this.#waiting) socket.destroy();
  }

  #ready(): this {
    this.#port = this.address.port;
    // From here on errors concern single accepts (out of file descriptors); the listener lives on.
    this.#server.removeAllListeners('error');
    this.#server.on('error', ignore);
    return this;
  }

  #welcome(socket: Socket): void {
    if (this.#serve !== null) return this.#serve(socket, this.#port);
    if (this.#waiting.size >= MOST_WAITING) return void socket.resetAndDestroy();
    this.#waiting.add(socket);
    socket.once('close', () => this.#waiting.delete(socket));
    // A peer that leaves while it waits must not end the process.
    socket.on('error', ignore);
  }
}

function ignore(): void {}
