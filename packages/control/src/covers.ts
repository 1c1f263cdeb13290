import { addressKey } from '@postern/registry';
import { isUnder, wildcardsOver } from './addresses/hosts.ts';
import type { Core } from './core.ts';

/**
 * Whether somebody here has a use for a certificate of this name. Online agents need no look: their names lie under a
 * base domain or a reservation (reservations.ts).
 */
export function covers(core: Core, serverName: string): boolean {
  const host = serverName.toLowerCase();
  const { baseDomains, ownNames } = core.config;
  if (ownNames.includes(host) || baseDomains.some((domain) => isUnder(host, domain))) return true;
  return [host, ...wildcardsOver(host)].some((name) => isTaken(core, name));
}

function isTaken({ catalog }: Core, host: string): boolean {
  if (catalog.domains.at(host).length > 0) return true;
  return (['https', 'tls'] as const).some((scheme) => {
    const key = addressKey({ scheme, host, port: 443, binding: 'public', accountId: '' });
    return catalog.endpoints.at(key).length > 0 || catalog.edges.at(key).length > 0;
  });
}
