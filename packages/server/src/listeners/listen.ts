import { createServer, type Server } from 'node:net';
import { type Address, formatAddress } from '../config/addresses.ts';
import { ConfigError } from '../config/config-error.ts';
import { codeOf, messageOf } from '../problem.ts';

export const BACKLOG = 4096;
/** Tries to find a port that is free on several addresses at once. */
const PORT_TRIES = 20;

/**
 * Binds a listener to every address. Port 0 becomes one port that is free on all of them, so that `localhost:<port>`
 * works over IPv4 and IPv6. A machine without IPv6 simply lacks the second loopback listener; what was named must be there.
 * @param bind resolves with the bound port, rejects with the system's error
 * @param tryAgain asked when a port is taken
 * @returns the first address, its port settled
 * @throws ConfigError naming the flag, when a port is taken or an address is not this machine's
 */
export async function bindAll(
  flag: string,
  addresses: readonly Address[],
  bind: (address: Address) => Promise<number>,
  tryAgain: TryAgain = never,
): Promise<Address> {
  const free = addresses.length > 1 && addresses.some(({ port }) => port === 0) ? await commonPort(addresses) : 0;
  let first: Address | null = null;
  for (const { host, port, optional = false } of addresses) {
    const wanted: Address = { host, port: port === 0 ? free : port };
    try {
      const bound = await patiently(() => bind(wanted), tryAgain);
      first ??= { host, port: bound };
    } catch (error) {
      if (!optional || !isAbsent(error)) throw listenProblem(flag, wanted, error);
    }
  }
  if (first === null) throw new ConfigError(flag, '', 'an address is needed');
  return first;
}

/** For listeners that open later: that this machine has their addresses. @throws ConfigError naming the flag */
export async function checkAddresses(flag: string, addresses: readonly Address[]): Promise<void> {
  await bindAll(
    flag,
    addresses.map((address) => ({ ...address, port: 0 })),
    async (address) => {
      const probe = createServer();
      const port = await listen(probe, address);
      await new Promise((resolve) => probe.close(resolve));
      return port;
    },
  );
}

/** Waits a moment, and says whether what was taken may be free by now. */
export type TryAgain = () => Promise<boolean>;
const never: TryAgain = () => Promise.resolve(false);

async function patiently(bind: () => Promise<number>, tryAgain: TryAgain): Promise<number> {
  for (;;) {
    try {
      return await bind();
    } catch (error) {
      if (codeOf(error) !== 'EADDRINUSE' || !(await tryAgain())) throw error;
    }
  }
}

/** Binds one server; rejects with the system's error. */
export function listen(server: Server, { host, port }: Address): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.off('error', reject);
      // From here on errors concern single accepts (out of file descriptors); the listener lives on.
      server.on('error', ignore);
      const bound = server.address();
      resolve(typeof bound === 'object' && bound !== null ? bound.port : port);
    });
  });
}

/** What a user can do about a listener that does not start. */
export function listenProblem(flag: string, address: Address, error: unknown): ConfigError {
  return new ConfigError(flag, formatAddress(address), REMEDIES[codeOf(error)] ?? messageOf(error));
}

const REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is taken. Stop what uses it, or name another port (0 = any free one)',
  EACCES: 'this user may not listen there. Ports below 1024 need the right to (CAP_NET_BIND_SERVICE)',
  EADDRNOTAVAIL: 'this machine does not have the address',
  ENOTFOUND: 'the name is not known here',
};

/** A port that every address had free a moment ago. */
async function commonPort(addresses: readonly Address[]): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const probes: Server[] = [];
    try {
      let port = 0;
      for (const { host } of addresses) {
        const probe = createServer();
        try {
          port = await listen(probe, { host, port });
          probes.push(probe);
        } catch (error) {
          if (!isAbsent(error)) throw error;
        }
      }
      return port;
    } catch (error) {
      if (codeOf(error) !== 'EADDRINUSE' || attempt === PORT_TRIES) return 0;
    } finally {
      await Promise.all(probes.map((probe) => new Promise((resolve) => probe.close(resolve))));
    }
  }
}

function isAbsent(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT';
}

function ignore(): void {}
