import type { Server, Socket } from 'node:net';
import type { Listener, OpenListener, Service } from '@postern/edge';
import { type Address, everyAddress, formatAddress, reachable } from '../config/addresses.ts';
import { flagOf } from '../config/options.ts';
import type { ServerConfig } from '../config/server-config.ts';
import { HeldListener } from './held-listener.ts';
import { bindAll, type TryAgain } from './listen.ts';
import { type ListenerName, listeners, type NamedListener } from './list.ts';

/** A listener that is open, on all of its addresses. Whoever comes before it is served waits. */
export interface Door extends OpenListener {
  /** The first address, its port settled. */
  readonly address: Address;
  /** One for each socket. */
  readonly bound: readonly Address[];
  /** A service manager has opened its sockets, and keeps them. */
  readonly given: boolean;
  /** Accepts nothing more, so that other processes may listen here. @returns who still waits */
  leave(): readonly Socket[];
  /** Gives each of its sockets to a server of HTTP calls, with those who wait. */
  give(take: (listen: (server: Server) => Promise<void>) => Promise<unknown>): Promise<void>;
}

/** Listening sockets that were given to this process, by the listener that they are for. */
export type GivenSockets = ReadonlyMap<ListenerName, readonly HeldListener[]>;

export interface EdgeDoor {
  readonly name: ListenerName;
  readonly serves: Service;
  readonly door: Door;
}

export interface DoorsOptions {
  readonly config: ServerConfig;
  readonly given: GivenSockets;
  /** Asked when an address is taken. */
  readonly tryAgain?: TryAgain;
}

/** The listeners of the list, as they open and close. */
export class Doors {
  readonly #options: DoorsOptions;
  readonly #open = new Map<ListenerName, Door>();

  private constructor(options: DoorsOptions) {
    this.#options = options;
  }

  /** Opens those that the edge serves; the others open when there is something to say. @throws ConfigError naming the flag */
  static async open(options: DoorsOptions): Promise<Doors> {
    const doors = new Doors(options);
    try {
      for (const listener of listeners.toReversed()) {
        // One after the other: agents are waited for first.
        // oxlint-disable-next-line no-await-in-loop
        if (listener.serves !== 'calls') await doors.#add(listener);
      }
    } catch (error) {
      doors.close();
      throw error;
    }
    return doors;
  }

  /** @throws ConfigError naming the flag */
  async open(name: ListenerName): Promise<Door> {
    return this.#open.get(name) ?? (await this.#add(byName(name))) ?? raise(name);
  }

  /** Where those who are meant for the listener come to. */
  addressOf(name: ListenerName): Address {
    const { within } = byName(name);
    return this.#open.get(name)?.address ?? (within === null ? raise(name) : this.addressOf(within));
  }

  /** Where clients on this machine find it, as `runtime.json` has it. */
  whereabouts(name: ListenerName): string {
    return byName(name).prefix + formatAddress(reachable(this.addressOf(name)));
  }

  /** Those of the edge, for it. */
  forEdge(): readonly Listener[] {
    return this.ofEdge().map(({ name, serves, door }) => ({ name, serves, open: door }));
  }

  /** Those of the edge that are open, by name. */
  ofEdge(): readonly EdgeDoor[] {
    return listeners.flatMap(({ name, serves }) => {
      const door = this.#open.get(name);
      return door === undefined || serves === 'calls' ? [] : [{ name, serves, door }];
    });
  }

  /** Accepts nothing more; at a stop those that say so stay for now. */
  close(butThoseThatStay = false): void {
    for (const { name, stays } of listeners) if (!(butThoseThatStay && stays)) this.#open.get(name)?.close();
  }

  /** null: it has no address of its own, as those who come to it come to another one. */
  async #add({ name, setting, within, serves }: NamedListener): Promise<Door | null> {
    const { config, given, tryAgain } = this.#options;
    const sockets = given.get(name) ?? [];
    if (sockets.length === 0 && config[name].length === 0 && within !== null) return null;
    const door =
      sockets.length > 0
        ? doorOf(sockets, true)
        : await openDoor(flagOf(setting), config[name], tryAgain, config.workers > 0 && serves !== 'calls');
    this.#open.set(name, door);
    return door;
  }
}

/** @param unread not a byte of who comes is read: another process will @throws ConfigError naming the flag */
export async function openDoor(
  flag: string,
  addresses: readonly Address[],
  tryAgain?: TryAgain,
  unread = false,
): Promise<Door> {
  const held: HeldListener[] = [];
  try {
    const open = async (wanted: Address): Promise<number> => {
      const listener = await HeldListener.bind(wanted, unread);
      held.push(listener);
      return listener.address.port;
    };
    const address = await bindAll(flag, everyAddress(addresses), open, tryAgain);
    return { ...doorOf(held, false), address, addresses: [address] };
  } catch (error) {
    for (const listener of held) listener.close();
    throw error;
  }
}

function doorOf(held: readonly HeldListener[], given: boolean): Door {
  const addresses = held.map((listener) => listener.address);
  const [address = { host: '', port: 0 }] = addresses;
  return {
    address,
    addresses,
    bound: addresses,
    given,
    leave: () => held.flatMap((listener) => listener.leave()),
    serve(onConnection) {
      for (const listener of held) listener.serve(onConnection);
    },
    async give(take) {
      await Promise.all(held.map((listener) => take((server) => listener.give(server))));
    },
    close() {
      for (const listener of held) listener.close();
    },
  };
}

function byName(wanted: ListenerName): NamedListener {
  return listeners.find(({ name }) => name === wanted) ?? raise(wanted);
}

function raise(name: ListenerName): never {
  throw new Error(`the ${name} listener is not open`);
}
