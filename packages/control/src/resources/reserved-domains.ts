import { fail } from '@postern/errors';
import type { EndpointRow, ReservedDomainRow } from '@postern/store';
import { hostportAddress } from '../addresses/hostports.ts';
import { hostProblem, isInternalHost, isUnder, isWildcard, wildcardsOver } from '../addresses/hosts.ts';
import { domainError } from '../addresses/problems.ts';
import type { Core } from '../core.ts';
import { coversForeignName } from '../reservations.ts';
import { checkLength, DESCRIPTION_BYTES, isEmptyPatch, METADATA_BYTES } from '../texts.ts';
import type { ReservedDomainCreate, ReservedDomainUpdate, ReservedDomainView, ResourceService } from '../types.ts';
import { pageOf } from './paging.ts';

/** Names of an account (api.md §6, reserved_domains). */
export function createReservedDomains(
  core: Core,
): ResourceService<ReservedDomainView, ReservedDomainCreate, ReservedDomainUpdate> {
  const { catalog, store, config } = core;

  function view(row: ReservedDomainRow): ReservedDomainView {
    const { id, createdAt, description, metadata, domain } = row;
    const ours = config.baseDomains.some((base) => isUnder(domain, base));
    // A name of the user's own is pointed at this server by a CNAME to the base domain.
    return { id, createdAt, description, metadata, domain, cnameTarget: ours ? null : (config.baseDomains[0] ?? null) };
  }

  /** @throws 402–411, 413, 414, 417, 429, 438, 448, 513, 514, 90029 */
  function checkFree(accountId: string, domain: string): void {
    const exact = catalog.domains.at(domain)[0];
    if (exact !== undefined) throw fail(exact.accountId === accountId ? 413 : 414, { domain });
    for (const pattern of wildcardsOver(domain)) {
      const wider = catalog.domains.at(pattern)[0];
      if (wider !== undefined && wider.accountId !== accountId) throw fail(414, { domain });
    }
    if (isWildcard(domain) && coversForeignName(core, accountId, domain)) throw fail(417, { domain });
  }

  return {
    async create(caller, input) {
      if (input.domain !== undefined && input.name !== undefined && input.domain !== input.name) throw fail(449);
      const given = input.domain ?? input.name ?? '';
      if (given === '') throw fail(18015, { field: 'domain' });
      const domain = given.toLowerCase();
      const problem = hostProblem(domain, config.baseDomains);
      if (problem !== null) throw domainError(given, problem, config.baseDomains);
      if (isInternalHost(domain)) throw fail(411, { domain, suffix: 'internal' });
      if (config.ownNames.includes(domain)) throw fail(90029, { domain });
      checkRegion(core, input.region);
      checkLength(input.description, DESCRIPTION_BYTES, 420);
      checkLength(input.metadata, METADATA_BYTES, 421);
      return core.claims.run(async () => {
        checkFree(caller.accountId, domain);
        const row: ReservedDomainRow = {
          id: core.ids.next('rd'),
          accountId: caller.accountId,
          createdAt: core.timestamp(),
          domain,
          description: input.description ?? '',
          metadata: input.metadata ?? '',
          automatic: false,
        };
        await catalog.commit([store.reservedDomains.insert(row)]);
        return view(row);
      });
    },

    async get(caller, id) {
      const row = catalog.domains.owned(caller.accountId, id);
      return row === null ? null : view(row);
    },

    async list(caller, { beforeId, limit }) {
      return pageOf(catalog.domains.list(caller.accountId, beforeId, limit + 1), limit, view);
    },

    async update(caller, id, patch) {
      if (catalog.domains.owned(caller.accountId, id) === null) return null;
      if (isEmptyPatch(patch)) throw fail(422);
      checkLength(patch.description, DESCRIPTION_BYTES, 420);
      checkLength(patch.metadata, METADATA_BYTES, 421);
      return core.claims.run(async () => {
        const row = catalog.domains.owned(caller.accountId, id);
        if (row === null) return null;
        const { description = row.description, metadata = row.metadata } = patch;
        await catalog.commit([store.reservedDomains.update(id, { description, metadata })]);
        return view({ ...row, description, metadata });
      });
    },

    remove: (caller, id) =>
      core.claims.run(async () => {
        const row = catalog.domains.owned(caller.accountId, id);
        if (row === null) return false;
        const users = await usersOf(core, row);
        if (users.length > 0) throw fail(446, { domain: row.domain, users: summarise(users) });
        await catalog.commit([store.reservedDomains.delete(id)]);
        return true;
      }),
  };
}

/** 500: the one region there is may be named or left out. */
export function checkRegion(core: Core, region: string | undefined): void {
  if (region !== undefined && region !== '' && region !== core.config.region) throw fail(500, { region });
}

/** "a, b and 3 more" */
export function summarise(users: readonly string[]): string {
  const shown = users.slice(0, 3).join(', ');
  return users.length > 3 ? `${shown} and ${users.length - 3} more` : shown;
}

/** Cloud endpoints, edges and online agent endpoints that rest on the reservation. */
async function usersOf(core: Core, row: ReservedDomainRow): Promise<string[]> {
  const { catalog, registry } = core;
  const { accountId, id } = row;
  const clouds = catalog.endpoints.list(accountId).filter((endpoint: EndpointRow) => endpoint.domainId === id);
  const edges = catalog.edges
    .list(accountId)
    .filter((edge) =>
      edge.hostports.some(({ hostport }) => restsOn(row.domain, hostportAddress(edge.kind, hostport)?.host)),
    );
  const tunnels = (await registry.tunnelsOf(accountId)).filter(({ endpoint }) => endpoint?.domainId === id);
  return [
    ...clouds.map((endpoint) => `cloud endpoint ${endpoint.id}`),
    ...edges.map((edge) => `edge ${edge.id}`),
    ...tunnels.map(({ endpoint, sessionId }) => `agent endpoint ${endpoint?.id} of session ${sessionId}`),
  ];
}

function restsOn(domain: string, host: string | undefined): boolean {
  if (host === undefined) return false;
  return host === domain || wildcardsOver(host).includes(domain);
}
