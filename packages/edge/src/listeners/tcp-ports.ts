/** The listener of TCP endpoints: a port is open while an endpoint holds it. */
import type { Socket } from 'node:net';
import type { ListenAddress } from '../context.ts';
import { listen, type Listening } from './listen.ts';
import type { OpenListener } from './listener.ts';

export class TcpPorts implements OpenListener {
  readonly #hosts: readonly Omit<ListenAddress, 'port'>[];
  #serve: ((socket: Socket, port: number) => void) | null = null;
  readonly #open = new Map<number, Listening>();
  #closed = false;

  constructor(hosts: readonly Omit<ListenAddress, 'port'>[]) {
    this.#hosts = hosts;
  }

  get addresses(): readonly ListenAddress[] {
    return [...this.#open.values()].flatMap(({ addresses }) => addresses);
  }

  /** Before any port opens. */
  serve(onConnection: (socket: Socket, port: number) => void): void {
    this.#serve = onConnection;
  }

  /**
   * Opens those that are not open yet.
   * @returns the ports that could not be opened, with the reason
   */
  async open(ports: Iterable<number>): Promise<ReadonlyMap<number, Error>> {
    const failures = new Map<number, Error>();
    if (this.#closed) return failures;
    const opening: Promise<void>[] = [];
    for (const port of ports) if (!this.#open.has(port)) opening.push(this.#openOne(port, failures));
    await Promise.all(opening);
    return failures;
  }

  /** Closes those that nobody holds any more; connections that came through them live on. */
  retain(ports: ReadonlySet<number>): void {
    for (const [port, listening] of this.#open) {
      if (ports.has(port)) continue;
      listening.close();
      this.#open.delete(port);
    }
  }

  /** Closes all for good: routes still change while agents leave, and must not open a port again. */
  close(): void {
    this.#closed = true;
    this.retain(new Set());
  }

  async #openOne(port: number, failures: Map<number, Error>): Promise<void> {
    try {
      const addresses = this.#hosts.map((host) => ({ ...host, port }));
      const listening = await listen(addresses, (socket) => this.#serve?.(socket, port));
      if (this.#closed) listening.close();
      else this.#open.set(port, listening);
    } catch (error) {
      failures.set(port, error instanceof Error ? error : new Error(String(error)));
    }
  }
}
