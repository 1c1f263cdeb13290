import { fail } from '@postern/errors';
import type { ReservedDomainRow } from '@postern/store';
import { hostProblem, isInternalHost, isUnder, isWildcard, wildcardsOver } from '../addresses/hosts.ts';
import { domainError } from '../addresses/problems.ts';
import type { Core } from '../core.ts';
import { withKeys } from '../gate/keys.ts';
import { reservedOf } from '../reservations.ts';
import { coversForeignName } from '../rules/reservations.ts';
import { checkLength, DESCRIPTION_BYTES, isEmptyPatch, METADATA_BYTES } from '../texts.ts';
import type { ReservedDomainCreate, ReservedDomainUpdate, ReservedDomainView, ResourceService } from '../types.ts';
import { summarise, usersOfDomain } from '../users.ts';
import { pageOf } from './paging.ts';

/** Names of an account (api.md §6, reserved_domains). */
export function createReservedDomains(
  core: Core,
): ResourceService<ReservedDomainView, ReservedDomainCreate, ReservedDomainUpdate> {
  const { catalog, store, config } = core;

  function view(row: ReservedDomainRow): ReservedDomainView {
    const { id, createdAt, description, metadata, domain, region } = row;
    const ours = config.baseDomains.some((base) => isUnder(domain, base));
    // A name of the user's own is pointed at this server by a CNAME to the base domain.
    const cnameTarget = ours ? null : (config.baseDomains[0] ?? null);
    return { id, createdAt, description, metadata, domain, region, cnameTarget };
  }

  /** The reservation that an endpoint of this account made by itself, which is taken over; null = none. @throws 413, 414, 417 */
  function findAutomatic(accountId: string, domain: string): ReservedDomainRow | null {
    const exact = catalog.domains.at(domain)[0];
    if (exact !== undefined) {
      if (exact.accountId !== accountId) throw fail(414, { domain });
      if (exact.automatic) return exact;
      throw fail(413, { domain });
    }
    for (const pattern of wildcardsOver(domain)) {
      const wider = catalog.domains.at(pattern)[0];
      if (wider !== undefined && wider.accountId !== accountId) throw fail(414, { domain });
    }
    if (isWildcard(domain) && coversForeignName(reservedOf(core), accountId, domain)) throw fail(417, { domain });
    return null;
  }

  return {
    async create(caller, input) {
      const { domain: asked = '', name = '' } = input;
      if (asked !== '' && name !== '' && normalised(asked) !== normalised(name)) throw fail(449);
      const given = asked || name;
      const domain = normalised(given);
      if (domain === '') throw fail(18015, { field: 'domain' });
      const problem = hostProblem(domain, config.baseDomains);
      if (problem !== null) throw domainError(given, problem, config.baseDomains);
      if (isInternalHost(domain)) throw fail(411, { domain, suffix: 'internal' });
      if (config.ownNames.includes(domain)) throw fail(90029, { domain });
      checkRegion(input.region);
      checkLength(input.description, DESCRIPTION_BYTES, 420);
      checkLength(input.metadata, METADATA_BYTES, 421);
      return withKeys(
        core,
        (keys) => keys.name(domain),
        async () => {
          const { description = '', metadata = '', region = '' } = input;
          const change = { description, metadata, region, automatic: false };
          const existing = findAutomatic(caller.accountId, domain);
          if (existing !== null) {
            await catalog.commit([store.reservedDomains.update(existing.id, change)]);
            return view({ ...existing, ...change });
          }
          const id = core.ids.next('rd');
          const row: ReservedDomainRow = {
            id,
            accountId: caller.accountId,
            createdAt: core.timestamp(),
            domain,
            ...change,
          };
          await catalog.commit([store.reservedDomains.insert(row)]);
          return view(row);
        },
      );
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
      checkRegion(patch.region);
      checkLength(patch.description, DESCRIPTION_BYTES, 420);
      checkLength(patch.metadata, METADATA_BYTES, 421);
      return withKeys(
        core,
        (keys) => keys.reservations([id]),
        async () => {
          const row = catalog.domains.owned(caller.accountId, id);
          if (row === null) return null;
          const { description = row.description, metadata = row.metadata, region = row.region } = patch;
          // Whoever writes to it wants to keep it.
          const change = { description, metadata, region, automatic: false };
          await catalog.commit([store.reservedDomains.update(id, change)]);
          return view({ ...row, ...change });
        },
      );
    },

    remove: (caller, id) =>
      withKeys(
        core,
        (keys) => keys.reservations([id]),
        async () => {
          const row = catalog.domains.owned(caller.accountId, id);
          if (row === null) return false;
          const users = await usersOfDomain(core, row);
          if (users.length > 0) throw fail(446, { domain: row.domain, users: summarise(users) });
          await catalog.commit([store.reservedDomains.delete(id)]);
          return true;
        },
      ),
  };
}

/** 500. There is one place here; the legacy field is taken and echoed, whatever region it names (docs/design.md §1). */
export function checkRegion(region: string | undefined): void {
  if (region !== undefined && !/^[\w-]{0,32}$/.test(region)) throw fail(500, { region });
}

/** As the published API does, so that clients compare alike: blanks around it, a dot behind it and case mean nothing. */
function normalised(domain: string): string {
  return domain.trim().replace(/\.$/, '').toLowerCase();
}
