import { fail } from '@postern/errors';
import type { CreateOf, PLAIN } from '@postern/resources';
import type { ReservedDomainRow } from '@postern/store';
import { hostProblem, isInternalHost, isWildcard, wildcardsOver } from '../addresses/hosts.ts';
import { domainError } from '../addresses/problems.ts';
import type { Core } from '../core.ts';
import { reservedOf } from '../reservations.ts';
import { coversForeignName } from '../rules/reservations.ts';
import { NO_CERTIFICATE } from '../state/certificate-key.ts';
import { usersOfDomain } from '../users.ts';
import { certificateColumns, checkCertificates, shownCertificates, verifyCertificates } from './domain-certificates.ts';
import type { Keys } from '../gate/keys.ts';
import type { HooksOf } from './hooks.ts';

/** Names of an account (api.md §6, reserved_domains). */
export const reservedDomains: HooksOf<'reservedDomains'> = (core) => {
  const { catalog } = core;
  return {
    rows: catalog.domains,
    keys: {
      create(input) {
        const domain = readDomain(core, input);
        return (keys) => withCertificate(keys.name(domain), input);
      },
      change: (id, patch) => (keys) => withCertificate(keys.reservations([id]), patch),
    },
    check(input) {
      checkRegion(input);
      checkCertificates(input);
    },
    verify: (row, before) => verifyCertificates(core, row, before),
    make(head, input) {
      const domain = readDomain(core, input);
      const { description = '', metadata = '', region = '' } = input;
      const patch = { description, metadata, region, automatic: false, ...certificateColumns(input) };
      const existing = findAutomatic(core, head.accountId, domain);
      return existing === null
        ? { row: { ...head, domain, ...NO_CERTIFICATE, ...patch } }
        : { row: { ...existing, ...patch }, patch };
    },
    // Whoever writes to it wants to keep it.
    change: ({ description, metadata, region, ...asked }) => ({
      ...(description === undefined ? {} : { description }),
      ...(metadata === undefined ? {} : { metadata }),
      ...(region === undefined ? {} : { region }),
      ...certificateColumns(asked),
      automatic: false,
    }),
    viewer: () => async (row) => {
      const { id, createdAt, description, metadata, domain, region } = row;
      return { id, createdAt, description, metadata, domain, region, ...(await shownCertificates(core, row)) };
    },
    usedBy: { users: (row) => usersOfDomain(core, row), error: ({ domain }, users) => fail(446, { domain, users }) },
  };
};

/** A certificate that is named stays meanwhile. */
function withCertificate(keys: Keys, asked: { readonly certificateId?: string } | null): Keys {
  const id = asked?.certificateId ?? '';
  return id === '' ? keys : keys.id(id);
}

/** The name that is asked for, as rows have it. @throws 402–411, 429, 438, 448, 449, 513, 514, 18015, 90029 */
function readDomain({ config }: Core, input: CreateOf<typeof PLAIN.reservedDomains>): string {
  const { domain: asked = '', name = '' } = input;
  if (asked !== '' && name !== '' && normalised(asked) !== normalised(name)) throw fail(449);
  const given = asked || name;
  const domain = normalised(given);
  if (domain === '') throw fail(18015, { field: 'domain' });
  const problem = hostProblem(domain, config.baseDomains);
  if (problem !== null) throw domainError(given, problem, config.baseDomains);
  if (isInternalHost(domain)) throw fail(411, { domain, suffix: 'internal' });
  if (config.ownNames.includes(domain)) throw fail(90029, { domain });
  return domain;
}

/** The reservation that an endpoint of this account made by itself, which is taken over; null = none. @throws 413, 414, 417 */
function findAutomatic(core: Core, accountId: string, domain: string): ReservedDomainRow | null {
  const { domains } = core.catalog;
  const exact = domains.at(domain)[0];
  if (exact !== undefined) {
    if (exact.accountId !== accountId) throw fail(414, { domain });
    if (exact.automatic) return exact;
    throw fail(413, { domain });
  }
  for (const pattern of wildcardsOver(domain)) {
    const wider = domains.at(pattern)[0];
    if (wider !== undefined && wider.accountId !== accountId) throw fail(414, { domain });
  }
  if (isWildcard(domain) && coversForeignName(reservedOf(core), accountId, domain)) throw fail(417, { domain });
  return null;
}

/** 500. There is one place here; the legacy field is taken and echoed, whatever region it names (docs/design.md §1). */
export function checkRegion({ region = '' }: { readonly region?: string }): void {
  if (!/^[\w-]{0,32}$/.test(region)) throw fail(500, { region });
}

/** As the published API does, so that clients compare alike: blanks around it, a dot behind it and case mean nothing. */
function normalised(domain: string): string {
  return domain.trim().replace(/\.$/, '').toLowerCase();
}
