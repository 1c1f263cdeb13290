/** Bounds how many connections a listener and one client address (IPv6: a /64) may hold, and knows the open ones. */
import type { Socket } from 'node:net';
import { networkOf } from '../places/network.ts';
import type { CidrList } from '../connection/cidr-list.ts';
import type { TimerWheel } from '../context.ts';
import { part } from '../connection/part.ts';
import { ignore } from '../connection/pipe.ts';
import { plainIp } from '../connection/visitor.ts';
import type { SharedGate } from '../shares/asking.ts';
import { Tally } from '../tally.ts';
import type { Arrivals, Verdict } from './arrivals.ts';

export interface GateLimits {
  readonly connections: number;
  /** Infinity = not bounded. */
  readonly connectionsPerIp: number;
}

/** One per listener. */
export class Gate {
  readonly #limits: GateLimits;
  readonly #proxies: CidrList;
  readonly #shared: SharedGate | null;
  readonly #open = new Set<Socket>();
  readonly #perIp = new Tally();
  readonly #arrivals: Arrivals | null;
  #refused = 0;
  #crowdedOut = 0;

  /**
   * @param proxies whose connections are many visitors' and count in the whole only
   * @param arrivals null = whoever comes is taken, however many do
   * @param shared with other edges of the node; null = there are none
   */
  constructor(limits: GateLimits, proxies: CidrList, arrivals: Arrivals | null, shared: SharedGate | null = null) {
    this.#limits = limits;
    this.#proxies = proxies;
    this.#arrivals = arrivals;
    this.#shared = shared;
  }

  get open(): number {
    return this.#open.size;
  }

  /** Connections turned away since the start. */
  get refused(): number {
    return this.#refused;
  }

  /** Turned away since the start because more came than can be served. */
  get crowdedOut(): number {
    return this.#crowdedOut;
  }

  /** Somebody has come; asked once for each, before anything else. */
  come(): Verdict {
    return this.#arrivals === null ? 'take' : this.#arrivals.come();
  }

  /** Somebody is turned away for that. */
  countCrowdedOut(): void {
    this.#crowdedOut++;
  }

  /** Takes the socket in until it closes; false = over a limit, and already destroyed. */
  admit(socket: Socket): boolean {
    const ip = socket.remoteAddress;
    // A peer that has already reset its connection has no address any more.
    if (ip === undefined) {
      socket.destroy();
      return false;
    }
    const network = networkOf(ip);
    const tooMany = this.#perIp.of(network) >= this.#limits.connectionsPerIp && !this.#proxies.has(plainIp(ip));
    const others = this.#shared !== null && this.#shared.full(network, this.#proxies.has(plainIp(ip)));
    if (tooMany || others || this.#open.size >= this.#limits.connections) {
      this.#refused++;
      socket.resetAndDestroy();
      return false;
    }
    this.#open.add(socket);
    this.#perIp.add(network, 1);
    // Whatever happens to the socket, an 'error' without a listener would end the process.
    socket.on('error', ignore);
    socket.once('close', () => {
      this.#open.delete(socket);
      this.#perIp.add(network, -1);
    });
    if (this.#shared !== null) this.#share(this.#shared, socket, network, this.#proxies.has(plainIp(ip)));
    return true;
  }

  #share(shared: SharedGate, socket: Socket, network: string, exempt: boolean): void {
    const id = shared.opened(network, exempt, () => {
      this.#refused++;
      socket.resetAndDestroy();
    });
    socket.once('close', () => shared.closed(id));
  }

  /** Ends connections that have not sent a byte and have had the time for it: FIN, and RST a second later. */
  partSilent(wheel: TimerWheel): void {
    for (const socket of this.#open) {
      if (socket.bytesRead > 0 || socket.writableEnded) continue;
      socket.end();
      part(socket, wheel);
    }
  }

  /** Cuts every open connection. */
  destroyAll(): void {
    for (const socket of this.#open) socket.destroy();
  }
}
