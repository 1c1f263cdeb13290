import type { OpenListener } from '@postern/edge';
import { type Address, everyAddress } from './config/addresses.ts';
import { flagOf } from './config/options.ts';
import type { ServerConfig } from './config/server-config.ts';
import { HeldListener } from './held-listener.ts';
import { bindAll, type TryAgain } from './listen.ts';

/** A listener of the edge, on all of its addresses, open before there is an edge. */
export interface Door extends OpenListener {
  /** The first address, its port settled. */
  readonly address: Address;
}

/** The doors that open before the rest of the platform is even loaded. */
export interface Doors {
  /** null = agents come to the HTTPS port only. */
  readonly agents: Door | null;
  readonly https: Door;
  readonly http: Door;
  close(): void;
}

/** Listening sockets that were given to this process, by the listener that they are for. */
export type GivenSockets = ReadonlyMap<keyof typeof LISTENERS, readonly HeldListener[]>;

/** Every listener with an address of its own: its setting, by its name in LISTEN_FDNAMES. */
export const LISTENERS = {
  agents: 'agent_listen',
  https: 'https_listen',
  http: 'http_listen',
  api: 'api_listen',
  metrics: 'metrics_listen',
} as const;

/**
 * Agents first: official ones that lost their server try again after 0, 50 ms, 2.5 s and then 125 s (agent-protocol.md
 * §0.5), so a restart should answer their third attempt. Visitors who come early wait as well, and are not refused.
 * @throws ConfigError naming the flag
 */
export async function openDoors(config: ServerConfig, given: GivenSockets, tryAgain?: TryAgain): Promise<Doors> {
  const open: Door[] = [];
  const close = (): void => open.forEach((door) => door.close());
  const door = async (name: 'agents' | 'https' | 'http'): Promise<Door> => {
    const sockets = given.get(name) ?? [];
    const opened =
      sockets.length > 0 ? doorOf(sockets) : await openDoor(flagOf(LISTENERS[name]), config[name], tryAgain);
    open.push(opened);
    return opened;
  };
  try {
    const agents = config.agents.length === 0 && !given.has('agents') ? null : await door('agents');
    return { agents, https: await door('https'), http: await door('http'), close };
  } catch (error) {
    close();
    throw error;
  }
}

/** @throws ConfigError naming the flag */
export async function openDoor(flag: string, addresses: readonly Address[], tryAgain?: TryAgain): Promise<Door> {
  const held: HeldListener[] = [];
  try {
    const open = async (wanted: Address): Promise<number> => {
      const listener = await HeldListener.bind(wanted);
      held.push(listener);
      return listener.address.port;
    };
    const address = await bindAll(flag, everyAddress(addresses), open, tryAgain);
    return { ...doorOf(held), address, addresses: [address] };
  } catch (error) {
    for (const listener of held) listener.close();
    throw error;
  }
}

function doorOf(held: readonly HeldListener[]): Door {
  const addresses = held.map((listener) => listener.address);
  const [address = { host: '', port: 0 }] = addresses;
  return {
    address,
    addresses,
    serve(onConnection) {
      for (const listener of held) listener.serve(onConnection);
    },
    close() {
      for (const listener of held) listener.close();
    },
  };
}
