/** Bounds how many connections a listener and one client address (IPv6: a /64) may hold, and knows the open ones. */
import type { Socket } from 'node:net';
import { networkOf } from '../places/network.ts';
import type { CidrList } from '../connection/cidr-list.ts';
import type { TimerWheel } from '../context.ts';
import { part } from '../connection/part.ts';
import { ignore } from '../connection/pipe.ts';
import { plainIp } from '../connection/visitor.ts';
import type { SharedGate } from '../shares/asking.ts';
import type { CountedAt } from '../shares/shares.ts';
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
  /** With their numbers among those of all edges; 0 = there are no others. */
  readonly #open = new Map<Socket, number>();
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
    this.#enter(socket, network, null);
    return true;
  }

  /** Takes one in that another edge had, and that is counted already. @returns false = it has just left */
  admitMoved(socket: Socket, from: CountedAt): boolean {
    const ip = socket.remoteAddress;
    if (ip === undefined) socket.destroy();
    else this.#enter(socket, networkOf(ip), from);
    return ip !== undefined;
  }

  /** Its number, while it is here; null = it is not. */
  numberOf(socket: Socket): number | null {
    return this.#open.get(socket) ?? null;
  }

  #enter(socket: Socket, network: string, from: CountedAt | null): void {
    this.#perIp.add(network, 1);
    // Whatever happens to the socket, an 'error' without a listener would end the process.
    socket.on('error', ignore);
    // It comes once; `once` would keep two objects more for each connection.
    socket.on('close', () => {
      this.#open.delete(socket);
      this.#perIp.add(network, -1);
    });
    this.#open.set(socket, this.#shared === null ? 0 : this.#share(this.#shared, socket, network, from));
  }

  #share(shared: SharedGate, socket: Socket, network: string, from: CountedAt | null): number {
    const revoke = (): void => {
      this.#refused++;
      socket.resetAndDestroy();
    };
    const id = shared.opened(network, this.#proxies.has(plainIp(socket.remoteAddress)), revoke, from);
    socket.once('close', () => shared.closed(id));
    return id;
  }

  /** Ends connections that have not sent a byte and have had the time for it: FIN, and RST a second later. */
  partSilent(wheel: TimerWheel): void {
    for (const socket of this.#open.keys()) {
      if (socket.bytesRead > 0 || socket.writableEnded) continue;
      socket.end();
      part(socket, wheel);
    }
  }

  /** Ends every open connection by RST, at once: what is cut is not taken for whole. */
  resetAll(): void {
    for (const socket of this.#open.keys()) socket.resetAndDestroy();
  }

  /** Cuts every open connection. */
  destroyAll(): void {
    for (const socket of this.#open.keys()) socket.destroy();
  }
}
