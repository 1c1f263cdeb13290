import { everyAddress, formatAddress } from '../config/addresses.ts';
import { ConfigError } from '../config/config-error.ts';
import type { ServerConfig } from '../config/server-config.ts';
import type { GivenSockets } from './doors.ts';
import { HeldListener } from './held-listener.ts';
import { type ListenerName, listeners } from './list.ts';
import { messageOf } from '../problem.ts';

const NAMES: ReadonlyMap<string, ListenerName> = new Map(
  listeners.flatMap(({ name, sockets }) => sockets.map((socket) => [socket, name] as const)),
);
const FIRST_FD = 3;
const MOST_FDS = 64;
/** The launcher got them for the server, whose number it could not know. */
const BY_LAUNCHER = 'launcher';

/** What says which sockets were given (sd_listen_fds(3)). */
export type ActivationVariables = Partial<Record<'LISTEN_FDS' | 'LISTEN_PID' | 'LISTEN_FDNAMES', string | undefined>>;

/**
 * Listening sockets of socket activation: whoever opened them keeps them open while this server restarts. A socket is
 * for the listener of its name (`sockets` of the list), else for the one that has its port in the settings.
 * @param environment the variables are removed from it, so that no child takes them for its own
 * @throws ConfigError for a socket that is for no listener
 */
export async function givenSockets(
  environment: ActivationVariables,
  pid: number,
  config: ServerConfig,
): Promise<GivenSockets> {
  const { LISTEN_FDS: count = '', LISTEN_PID: meant = '', LISTEN_FDNAMES: names = '' } = environment;
  delete environment.LISTEN_FDS;
  delete environment.LISTEN_PID;
  delete environment.LISTEN_FDNAMES;
  const given = new Map<ListenerName, HeldListener[]>();
  if (count === '' || (meant !== String(pid) && meant !== BY_LAUNCHER)) return given;
  if (!/^\d{1,2}$/.test(count) || Number(count) > MOST_FDS) {
    throw new ConfigError('LISTEN_FDS', count, `expected a number up to ${MOST_FDS}`);
  }
  const named = names.split(':');
  for (let index = 0; index < Number(count); index += 1) {
    const listener = await adopt(FIRST_FD + index, config.workers > 0);
    const name = NAMES.get(named[index] ?? '') ?? byPort(config, listener.address.port);
    if (name === null) {
      const where = formatAddress(listener.address);
      listener.close();
      throw new ConfigError(
        'LISTEN_FDS',
        `${named[index] ?? ''} ${where}`.trim(),
        `this socket is for no listener. Name it one of ${[...NAMES.keys()].join(', ')} (FileDescriptorName=), or give the listener the same port`,
      );
    }
    given.set(name, [...(given.get(name) ?? []), listener]);
  }
  return given;
}

async function adopt(fd: number, unread: boolean): Promise<HeldListener> {
  try {
    return await HeldListener.adopt(fd, unread);
  } catch (error) {
    throw new ConfigError('LISTEN_FDS', String(fd), `is no listening TCP socket (${messageOf(error)})`);
  }
}

function byPort(config: ServerConfig, port: number): ListenerName | null {
  const found = listeners.find(({ name }) => everyAddress(config[name]).some((address) => address.port === port));
  return found?.name ?? null;
}
