import { createServer } from 'node:net';
import { listen } from '../listeners/listen.ts';
import { type ListenerName, listeners } from '../listeners/list.ts';
import { codeOf } from '../problem.ts';
import { type Address, withBothLoopbacks } from './addresses.ts';
import { flagOf } from './options.ts';
import type { ServerConfig } from './server-config.ts';

/** How far the demo looks for a free port before it gives up and lets the listener fail. */
const FARTHEST = 50;

/**
 * The demo must not fail because a port is taken: each listener moves to the next free port.
 * @returns the configuration to use, and a line for each listener that moved
 */
export async function movedToFreePorts(
  config: ServerConfig,
): Promise<{ readonly config: ServerConfig; readonly moves: readonly string[] }> {
  const moves: string[] = [];
  const chosen = new Set<number>();
  const moved: Partial<Record<ListenerName, readonly Address[]>> = {};
  for (const { name, setting } of listeners) {
    const addresses: Address[] = [];
    for (const address of config[name]) {
      const port = await nextFree(address, chosen);
      chosen.add(port);
      if (port !== address.port) moves.push(`port ${address.port} (${flagOf(setting)}) is taken, using ${port}`);
      addresses.push({ host: address.host, port });
    }
    moved[name] = addresses;
  }
  return { config: { ...config, ...moved }, moves };
}

async function nextFree(address: Address, chosen: ReadonlySet<number>): Promise<number> {
  if (address.port === 0) return 0;
  for (let port = address.port; port < address.port + FARTHEST && port < 65_536; port += 1) {
    if (chosen.has(port)) continue;
    const free = await Promise.all(withBothLoopbacks({ host: address.host, port }).map(isFree));
    if (free.every(Boolean)) return port;
  }
  return address.port;
}

/** What else is wrong with an address, its own listener says better. */
async function isFree(address: Address): Promise<boolean> {
  const probe = createServer();
  try {
    await listen(probe, address);
    await new Promise((resolve) => probe.close(resolve));
    return true;
  } catch (error) {
    return codeOf(error) !== 'EADDRINUSE';
  }
}
