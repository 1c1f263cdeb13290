/** Every listener of an edge, in one list: what is done to all of them, or to those of visitors, is done here. */
import type { Socket } from 'node:net';
import type { CidrList } from '../connection/cidr-list.ts';
import type { EdgeLimits, Log, TimerWheel } from '../context.ts';
import type { AskingShares } from '../shares/asking.ts';
import { Arrivals } from './arrivals.ts';
import { backlogOf } from './backlog.ts';
import { Gate } from './gate.ts';
import { type Listener, type Service, SERVICES } from './listener.ts';

interface Entry extends Listener {
  readonly gate: Gate;
}

/** Numbers of one listener. */
export interface ListenerStats {
  readonly name: string;
  readonly visitors: boolean;
  /** Connections open now. */
  readonly open: number;
  /** Turned away by the limits since the start. */
  readonly refused: number;
  /** Turned away since the start because more came than could be served. */
  readonly crowdedOut: number;
}

/** Takes a connection that has come to a listener, if its gate lets it in. */
export type Accept = (serves: Service, gate: Gate, socket: Socket, port: number) => void;

export class Listeners {
  readonly #entries: readonly Entry[];

  /** @param shares with other edges of the node; null = there are none */
  constructor(
    listeners: readonly Listener[],
    limits: EdgeLimits,
    proxies: CidrList,
    shares: AskingShares | null,
    log: Log,
  ) {
    this.#entries = listeners.map((listener) => {
      // Agents are let in however many come: with them the visitors behind them would be turned away.
      const arrivals = SERVICES[listener.serves].visitors ? arrivalsOf(listener, limits, log) : null;
      return { ...listener, gate: new Gate(limits, proxies, arrivals, shares?.gate(listener.name) ?? null) };
    });
  }

  /** Whether agents have a listener of their own. */
  get agentsApart(): boolean {
    return this.#of('agents').length > 0;
  }

  /** Lets those in who wait, and from then on who comes: those who need no routes yet, or those who do. */
  serve(when: 'before routes' | 'with routes', accept: Accept): void {
    for (const { serves, gate, open } of this.#entries) {
      if (SERVICES[serves].needRoutes !== (when === 'with routes')) continue;
      open.serve((socket, port) => accept(serves, gate, socket, port));
    }
  }

  /** Ports that agents may dial, as bound. */
  get agentPorts(): readonly number[] {
    return this.#of('agents').flatMap(({ open }) => open.addresses.map(({ port }) => port));
  }

  /** Closes all of them to new connections, at once, so that another server may have the addresses. */
  close(): void {
    for (const { open } of this.#entries) open.close();
  }

  /** Of those that it was given; null = none has this name. */
  gateOf(name: string): Gate | null {
    return this.#entries.find((entry) => entry.name === name)?.gate ?? null;
  }

  /** Where a connection is counted that is still open. */
  placeOf(socket: Socket): { readonly listener: string; readonly counted: number } | null {
    for (const { name, gate } of this.#entries) {
      const counted = gate.numberOf(socket);
      if (counted !== null) return { listener: name, counted };
    }
    return null;
  }

  /** Ends connections of visitors who have not sent a byte, where it is they who begin. */
  partSilent(wheel: TimerWheel): void {
    for (const { serves, gate } of this.#of('visitors')) if (SERVICES[serves].speakFirst) gate.partSilent(wheel);
  }

  /** Cuts every connection that is open. */
  destroy(who: 'agents' | 'visitors'): void {
    for (const { gate } of this.#of(who)) gate.destroyAll();
  }

  /** Ends every connection by RST: nothing else of this edge is done any more. */
  reset(): void {
    for (const { gate } of this.#entries) gate.resetAll();
  }

  stats(): readonly ListenerStats[] {
    return this.#entries.map(({ name, serves, gate: { open, refused, crowdedOut } }) => ({
      name,
      visitors: SERVICES[serves].visitors,
      open,
      refused,
      crowdedOut,
    }));
  }

  #of(who: 'agents' | 'visitors'): readonly Entry[] {
    return this.#entries.filter(({ serves }) => SERVICES[serves].visitors === (who === 'visitors'));
  }
}

function arrivalsOf({ name, open }: Listener, { arrivalMs }: EdgeLimits, log: Log): Arrivals {
  return new Arrivals({
    patienceMs: arrivalMs,
    now: () => performance.now(),
    later: setImmediate,
    standing: () => backlogOf(new Set(open.addresses.map(({ port }) => port))),
    onCrowd: (waitMs) =>
      log.warn(
        { listener: name, wait_ms: Math.round(waitMs) },
        'more visitors come than can be served: some are refused',
      ),
  });
}
