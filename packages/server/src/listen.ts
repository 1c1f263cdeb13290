import type { AddressInfo, Server } from 'node:net';
import { type Address, formatAddress } from './config/addresses.ts';
import { ConfigError } from './config/config-error.ts';

/**
 * Binds a listener to every address. Port 0 is settled by the first one and shared by the rest. A machine without IPv6
 * simply lacks the second loopback listener.
 * @returns the first address, its port settled
 * @throws ConfigError naming the flag, when a port is taken or an address is not this machine's
 */
export async function bindAll(
  flag: string,
  addresses: readonly Address[],
  bind: (address: Address) => Promise<number>,
): Promise<Address> {
  let settled: Address | null = null;
  for (const address of addresses) {
    const wanted: Address = { host: address.host, port: address.port === 0 ? (settled?.port ?? 0) : address.port };
    try {
      const port = await bind(wanted);
      settled ??= { host: address.host, port };
    } catch (error) {
      if (settled === null || !isAbsent(error)) throw listenProblem(flag, wanted, error);
    }
  }
  if (settled === null) throw new ConfigError(flag, '', 'an address is needed');
  return settled;
}

/** Binds one server; rejects with the system's error. */
export function listen(server: Server, { host, port }: Address): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function isAbsent(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT';
}

/** What a user can do about a listener that does not start. */
export function listenProblem(flag: string, address: Address, error: unknown): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  const reason =
    code === 'EADDRINUSE'
      ? 'the port is taken. Stop what uses it, or name another port (0 = any free one)'
      : code === 'EACCES'
        ? 'this user may not listen there. Ports below 1024 need the right to (CAP_NET_BIND_SERVICE)'
        : code === 'EADDRNOTAVAIL'
          ? 'this machine does not have the address'
          : message;
  return new ConfigError(flag, formatAddress(address), reason);
}
