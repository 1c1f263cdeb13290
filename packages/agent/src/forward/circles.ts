/**
 * Bytes that come round: a tcp or tls endpoint whose service is that endpoint again. Bytes carry no mark, but a circle
 * of one agent shows: the visitor's address is that of a connection which this agent has just dialled itself.
 *
 * Another endpoint of this agent is a chain and allowed; the same one a second time is a circle. Circles over several
 * agents, or behind address translation, are not seen here; the server's places and connections bound those.
 */
import type { Socket } from 'node:net';

/** The listeners that a connection has come through, newest first. */
export interface Trail {
  readonly listenerId: string;
  readonly before: Trail | undefined;
}

/**
 * The visitor of a circle arrives within a round trip. Older connections are not compared: where the server sees its
 * visitors behind a proxy of its own host, addresses like 127.0.0.1:50000 may be there and here by chance.
 */
const FRESH_MS = 10_000;

interface Dialled {
  readonly trail: Trail;
  readonly at: number;
}

export class Circles {
  readonly #now: () => number;
  readonly #isOwnPort: (port: number) => boolean;
  /** By "ip:port" of this end of the connection. */
  readonly #dialled = new Map<string, Dialled>();
  /** Connections to own ports that are not up yet. */
  #dialling = 0;

  /**
   * @param now monotonic milliseconds
   * @param isOwnPort whether a tcp or tls address of this agent has this port
   */
  constructor(now: () => number, isOwnPort: (port: number) => boolean) {
    this.#now = now;
    this.#isOwnPort = isOwnPort;
  }

  /** A visitor has come. @returns what its connection has come through now; null when it has been here before */
  enter(clientAddr: string, listenerId: string): Trail | null {
    const dialled = this.#dialled.get(clientAddr);
    const before = dialled !== undefined && this.#now() - dialled.at < FRESH_MS ? dialled.trail : undefined;
    for (let trail = before; trail !== undefined; trail = trail.before) {
      if (trail.listenerId === listenerId) return null;
    }
    return { listenerId, before };
  }

  /**
   * Whether the visitor may be a connection that is up and has not told so: the server can be faster. It has by the next
   * turn of the event loop, since both are ready in this one.
   */
  undecided(clientAddr: string): boolean {
    return this.#dialling > 0 && !this.#dialled.has(clientAddr);
  }

  /** A connection to a port of a service is being made; it is forgotten when it closes. */
  dial(socket: Socket, port: number, trail: Trail): void {
    if (!this.#isOwnPort(port)) return;
    this.#dialling += 1;
    const made = (): void => {
      socket.off('connect', up).off('close', made);
      this.#dialling -= 1;
    };
    const up = (): void => {
      made();
      this.#watch(socket, trail);
    };
    socket.once('connect', up).once('close', made);
  }

  #watch(socket: Socket, trail: Trail): void {
    const { localAddress = '', localPort = 0 } = socket;
    if (localAddress === '') return;
    const address = localAddress.includes(':') ? `[${localAddress}]:${localPort}` : `${localAddress}:${localPort}`;
    const dialled = { trail, at: this.#now() };
    this.#dialled.set(address, dialled);
    socket.once('close', () => {
      if (this.#dialled.get(address) === dialled) this.#dialled.delete(address);
    });
  }
}
