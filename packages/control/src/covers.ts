import { addressKey } from '@postern/registry';
import { isUnder, wildcardsOver } from './addresses/hosts.ts';
import type { Core } from './core.ts';

/** Why a name is ours to have a certificate for. */
export type Cover =
  /** A reservation, an endpoint, an edge or an online agent has this very name. */
  | { readonly kind: 'name' }
  /** It lies under `*.domain` of one of these, or under a base domain (or is it): a name that a visitor may think up. */
  | { readonly kind: 'below'; readonly domain: string };

/** Whose a server name is; null = nobody's here, and nobody signs for it. */
export async function coverOf(core: Core, serverName: string): Promise<Cover | null> {
  const host = serverName.toLowerCase();
  if (await isTaken(core, host)) return { kind: 'name' };
  for (const wildcard of wildcardsOver(host)) {
    // oxlint-disable-next-line no-await-in-loop -- the first that is found is the answer
    if (await isTaken(core, wildcard)) return { kind: 'below', domain: wildcard.slice(2) };
  }
  const domain = core.config.baseDomains
    .filter((base) => isUnder(host, base))
    .toSorted((a, b) => b.length - a.length)[0];
  return domain === undefined ? null : { kind: 'below', domain };
}

async function isTaken({ catalog, registry }: Core, host: string): Promise<boolean> {
  if (catalog.domains.at(host).length > 0) return true;
  for (const scheme of ['https', 'tls'] as const) {
    const key = addressKey({ scheme, host, port: 443, binding: 'public', accountId: '' });
    if (catalog.endpoints.at(key).length > 0 || catalog.edges.at(key).length > 0) return true;
    // oxlint-disable-next-line no-await-in-loop -- as above
    if ((await registry.holdersOf(key)).length > 0) return true;
  }
  return false;
}
