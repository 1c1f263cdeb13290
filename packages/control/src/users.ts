/** Who rests on a reservation now: cloud endpoints, edges, agents that are online. */
import { addressKey } from '@postern/registry';
import type { TunnelRecord } from '@postern/registry';
import type { ReservedAddrRow, ReservedDomainRow } from '@postern/store';
import { hostportAddress } from './addresses/hostports.ts';
import { isWildcard, wildcardsOver } from './addresses/hosts.ts';
import { defaultPort } from './addresses/urls.ts';
import type { Core } from './core.ts';

const NAMED_SCHEMES = ['http', 'https', 'tls'] as const;

/** In words, for messages. Empty when nobody uses the domain. */
export async function usersOfDomain(core: Core, row: ReservedDomainRow): Promise<string[]> {
  if (isWildcard(row.domain)) return usersOfWildcard(core, row);
  // Looked up by address, not searched: agents that leave ask this once for each of their names.
  const users: string[] = [];
  for (const scheme of NAMED_SCHEMES) {
    const port = defaultPort(scheme);
    users.push(...(await usersOfKey(core, addressKey({ ...row, scheme, host: row.domain, port, binding: 'public' }))));
  }
  return users;
}

export function usersOfAddr(core: Core, { accountId, port }: ReservedAddrRow): Promise<string[]> {
  return usersOfKey(core, addressKey({ scheme: 'tcp', host: '', port, binding: 'public', accountId }));
}

/** "a, b and 3 more" */
export function summarise(users: readonly string[]): string {
  const shown = users.slice(0, 3).join(', ');
  return users.length > 3 ? `${shown} and ${users.length - 3} more` : shown;
}

async function usersOfKey(core: Core, key: string): Promise<string[]> {
  const tunnels = await core.registry.holdersOf(key);
  return [
    ...core.catalog.endpoints.at(key).map(({ id }) => `cloud endpoint ${id}`),
    ...core.catalog.edges.at(key).map(({ id }) => `edge ${id}`),
    ...tunnels.map(agentUser),
  ];
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
