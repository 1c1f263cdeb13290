import { Resolver } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { networkInterfaces } from 'node:os';
import { AgentError } from './agent-error.ts';
import type { AgentOptions } from './options.ts';

const RESOLVE_TIMEOUT = 3000;
const RESOLVE_TRIES = 2;

/** How connections leave this machine; of `net.connect`. */
export interface WayOut {
  readonly lookup?: LookupFunction;
  readonly localAddress?: string;
  readonly family?: 4 | 6;
}

/** @throws AgentError when there is no such interface now */
export function wayOut({ resolvers = [], networkInterface }: AgentOptions): WayOut {
  return {
    ...(resolvers.length === 0 ? {} : { lookup: lookupBy(resolvers) }),
    ...(networkInterface === undefined ? {} : addressOf(networkInterface)),
  };
}

function addressOf(name: string): WayOut {
  const all = networkInterfaces();
  const addresses = all[name]?.filter(({ address }) => !address.startsWith('fe80:')) ?? [];
  const chosen = addresses.find(({ family }) => family === 'IPv4') ?? addresses[0];
  if (chosen === undefined) {
    const known = Object.keys(all).join(', ') || 'none';
    throw new AgentError(`There is no network interface ${name} with an address; there are: ${known}.`, {
      fatal: true,
    });
  }
  return { localAddress: chosen.address, family: chosen.family === 'IPv4' ? 4 : 6 };
}

/** Asks these servers alone; the files of the system that name hosts are not read. */
function lookupBy(servers: readonly string[]): LookupFunction {
  const resolver = new Resolver({ timeout: RESOLVE_TIMEOUT, tries: RESOLVE_TRIES });
  resolver.setServers(servers.map((server) => (isIP(server) === 6 ? `[${server}]` : server)));
  return (host, { all, family }, done) => {
    const [v4, v6] = [family === 6 || family === 'IPv6', family === 4 || family === 'IPv4'].map((skip) => !skip);
    const asked = Promise.allSettled([v4 ? resolver.resolve4(host) : [], v6 ? resolver.resolve6(host) : []]);
    void answer(asked, all === true, done, `${host} has no address that ${servers.join(', ')} know of`);
  };
}

async function answer(
  asked: Promise<readonly PromiseSettledResult<readonly string[]>[]>,
  all: boolean,
  done: Parameters<LookupFunction>[2],
  otherwise: string,
): Promise<void> {
  const found = (await asked).flatMap((result, index) =>
    result.status === 'fulfilled' ? result.value.map((address) => ({ address, family: index === 0 ? 4 : 6 })) : [],
  );
  const [first] = found;
  if (first === undefined) done(new Error(otherwise), '');
  else if (all) done(null, found);
  else done(null, first.address, first.family);
}
