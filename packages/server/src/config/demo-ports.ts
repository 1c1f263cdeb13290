import { createServer } from 'node:net';
import { type Address, withBothLoopbacks } from './addresses.ts';
import type { ServerConfig } from './server-config.ts';

const LISTENERS = ['api', 'http', 'https', 'agents', 'metrics'] as const;
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
  const moved: Partial<Record<(typeof LISTENERS)[number], readonly Address[]>> = {};
  for (const name of LISTENERS) {
    const addresses: Address[] = [];
    for (const address of config[name]) {
      const port = await nextFree(address, chosen);
      chosen.add(port);
      if (port !== address.port) moves.push(`port ${address.port} (${name}) is taken, using ${port}`);
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

function isFree({ host, port }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'EADDRINUSE'));
    probe.listen({ host, port, ipv6Only: host === '::1' }, () => probe.close(() => resolve(true)));
  });
}
