/** Who rests on a reservation now: cloud endpoints, edges, agents that are online. */
import { NAMED_SCHEMES } from '@postern/link';
import { addressKey } from '@postern/registry';
import type { TunnelRecord } from '@postern/registry';
import type { ReservedAddrRow, ReservedDomainRow } from '@postern/store';
import { hostportAddress } from './addresses/hostports.ts';
import { isWildcard, wildcardsOver } from './addresses/hosts.ts';
import { defaultPort } from './addresses/urls.ts';
import type { Core } from './core.ts';

/** In words, for messages. Empty when nobody uses the domain. */
export async function usersOfDomain(core: Core, row: ReservedDomainRow): Promise<string[]> {
  if (isWildcard(row.domain)) return usersOfWildcard(core, row);
  // Looked up by address, not searched: agents that leave ask this once for each of their names.
  return usersOfKeys(core, addressesOfDomain(row));
}

export function usersOfAddr(core: Core, row: ReservedAddrRow): Promise<string[]> {
  return usersOfKeys(core, addressesOfAddr(row));
}

/** Where its users are found; a wildcard's may be at any name below it, and are searched. */
export function addressesOfDomain(row: ReservedDomainRow): string[] {
  if (isWildcard(row.domain)) return [];
  return NAMED_SCHEMES.map((scheme) =>
    addressKey({ ...row, scheme, host: row.domain, port: defaultPort(scheme), binding: 'public' }),
  );
}

export function addressesOfAddr({ accountId, port }: ReservedAddrRow): string[] {
  return [addressKey({ scheme: 'tcp', host: '', port, binding: 'public', accountId })];
}

/** "a, b and 3 more" */
export function summarise(users: readonly string[]): string {
  const shown = users.slice(0, 3).join(', ');
  return users.length > 3 ? `${shown} and ${users.length - 3} more` : shown;
}

async function usersOfKeys(core: Core, keys: readonly string[]): Promise<string[]> {
  const online = await core.registry.snapshot(keys);
  return keys.flatMap((key) => [
    ...core.catalog.endpoints.at(key).map(({ id }) => `cloud endpoint ${id}`),
    ...core.catalog.edges.at(key).map(({ id }) => `edge ${id}`),
    ...(online.get(key) ?? []).map(agentUser),
  ]);
}

/** Names at any depth may rest on it, so everything of the account is looked at. */
async function usersOfWildcard(core: Core, { accountId, id, domain }: ReservedDomainRow): Promise<string[]> {
  const { catalog, registry } = core;
  const clouds = catalog.endpoints.list(accountId).filter(({ domainId }) => domainId === id);
  const edges = catalog.edges
    .list(accountId)
    .filter((edge) =>
      edge.hostports.some(({ hostport }) => restsOn(domain, hostportAddress(edge.kind, hostport)?.host)),
    );
  const tunnels = (await registry.tunnelsOf(accountId)).filter(({ endpoint }) => endpoint?.domainId === id);
  return [
    ...clouds.map((endpoint) => `cloud endpoint ${endpoint.id}`),
    ...edges.map((edge) => `edge ${edge.id}`),
    ...tunnels.map(agentUser),
  ];
}

function agentUser({ endpoint, sessionId }: TunnelRecord): string {
  return `agent endpoint ${endpoint?.id} of session ${sessionId}`;
}

function restsOn(domain: string, host: string | undefined): boolean {
  return host !== undefined && (host === domain || wildcardsOver(host).includes(domain));
}
