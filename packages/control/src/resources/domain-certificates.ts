/** The certificate of a reserved domain: given, kept by this server, or covered by that of a base domain (api.md §6). */
import { createHash } from 'node:crypto';
import { fail } from '@postern/errors';
import type { CreateOf, PLAIN, UpdateOf, ViewOfResource } from '@postern/resources';
import type { ManagedCertificateRow, ReservedDomainRow } from '@postern/store';
import { isUnder, isWildcard } from '../addresses/hosts.ts';
import { run } from '../change/change.ts';
import { settle } from '../change/confirm.ts';
import { unchanged } from '../change/value.ts';
import type { Core } from '../core.ts';
import type { Caller, DomainCertificates } from '../types.ts';

type Definition = (typeof PLAIN)['reservedDomains'];
type Asked = CreateOf<Definition> | UpdateOf<Definition>;
type View = ViewOfResource<Definition>;
type Shown = Pick<
  View,
  | 'cnameTarget'
  | 'certificateId'
  | 'certificateManagementPolicy'
  | 'certificateManagementStatus'
  | 'acmeChallengeCnameTarget'
>;

/** Of `authority` in rows: no certificate is kept. */
const NOBODY = 'none';
/** What clients call whoever certificates are ordered from. */
const AUTHORITY = 'letsencrypt';

/** @throws 434, 435, 1908 */
export function checkCertificates({ certificateId = '', certificateManagementPolicy: policy }: Asked): void {
  if (policy === undefined) return;
  const { authority = '', privateKeyType = '' } = policy;
  if (isUnsaid(policy)) return;
  if (certificateId !== '') throw fail(434);
  if (authority !== '' && authority !== AUTHORITY) throw fail(435, { authority });
  if (!['', 'ecdsa', 'rsa'].includes(privateKeyType)) throw fail(1908, { type: privateKeyType });
}

/** Clients send every member that they hold: one that says nothing is no request. */
function isUnsaid({ authority = '', privateKeyType = '' }: NonNullable<Asked['certificateManagementPolicy']>): boolean {
  return authority === '' && privateKeyType === '';
}

/** What rows keep of a body. */
export function certificateColumns({
  certificateId,
  certificateManagementPolicy: policy,
}: Asked): Partial<ReservedDomainRow> {
  return {
    ...(certificateId === undefined ? {} : { certificateId }),
    ...(policy === undefined || isUnsaid(policy)
      ? {}
      : { certificateId: '', authority: AUTHORITY, privateKeyType: policy.privateKeyType ?? '' }),
  };
}

/** @throws 439, 1907: inside the step that writes the row */
export async function verifyCertificates(
  core: Core,
  row: ReservedDomainRow,
  before: ReservedDomainRow | null,
): Promise<void> {
  const { accountId, domain, certificateId, authority } = row;
  if (authority === AUTHORITY && before?.authority !== AUTHORITY && isOurs(core, domain)) throw fail(439, { domain });
  if (certificateId === '' || certificateId === before?.certificateId) return;
  const certificate = await core.store.tlsCertificates.get(certificateId);
  if (certificate?.accountId !== accountId) throw fail(1907, { id: certificateId });
}

/** Whether this server orders certificates for the domain; what an endpoint reserved in passing may be gone in a minute. */
function isManaged(core: Core, { domain, authority, certificateId, automatic }: ReservedDomainRow): boolean {
  const { certificates } = core.config;
  return (
    certificates !== undefined && !automatic && certificateId === '' && authority !== NOBODY && !isOurs(core, domain)
  );
}

/** A reserved domain that certificates are ordered for; `keyType` '' = the server's default. */
export interface ManagedDomain {
  readonly accountId: string;
  readonly domainId: string;
  readonly names: readonly string[];
  readonly keyType: 'ecdsa' | 'rsa' | '';
}

export function managedDomains(core: Core): readonly ManagedDomain[] {
  const managed: ManagedDomain[] = [];
  for (const row of core.catalog.domains.all()) {
    const found = managedDomain(core, row);
    if (found !== null) managed.push(found);
  }
  return managed;
}

/** @returns null where none are ordered for it */
export function managedDomain(core: Core, row: ReservedDomainRow | null): ManagedDomain | null {
  if (row === null || !isManaged(core, row)) return null;
  const { accountId, id, domain, privateKeyType } = row;
  const keyType = privateKeyType === 'rsa' || privateKeyType === 'ecdsa' ? privateKeyType : '';
  return { accountId, domainId: id, names: [domain], keyType };
}

export async function shownCertificates(core: Core, row: ReservedDomainRow): Promise<Shown> {
  const { domain, certificateId, privateKeyType, id } = row;
  const { baseDomains, certificates } = core.config;
  const [base] = baseDomains;
  const ours = isOurs(core, domain);
  const own = ours || base === undefined;
  const dns = certificates?.wildcards === true && isWildcard(domain);
  const shown = {
    // A name of the user's own is pointed at this server by a CNAME to the base domain.
    cnameTarget: own ? null : base,
    acmeChallengeCnameTarget: own || !dns ? null : challengeTarget(domain, base),
  };
  if (!isManaged(core, row)) {
    return { ...shown, certificateId, certificateManagementPolicy: null, certificateManagementStatus: null };
  }
  const kept = await core.store.managedCertificates.find({ domainId: id });
  // Of two kinds of key it is the one that most clients see.
  const managed = kept.find(({ keyType }) => keyType === 'ecdsa') ?? kept[0];
  return {
    ...shown,
    certificateId: managed?.certificateId ?? '',
    certificateManagementPolicy: { authority: AUTHORITY, privateKeyType: privateKeyType || 'ecdsa' },
    certificateManagementStatus: statusOf(row, managed ?? null),
  };
}

/** The label is of the domain, so that it stays the same and says nothing to others. */
export function challengeTarget(domain: string, base: string): string {
  const label = createHash('sha256').update(domain).digest('hex').slice(0, 32);
  return `${label}._acme-challenge.${base}`;
}

export function createDomainCertificates(core: Core): DomainCertificates {
  const change = async (
    { accountId }: Caller,
    id: string,
    patchOf: (row: ReservedDomainRow) => Partial<ReservedDomainRow> | null,
  ): Promise<boolean> => {
    const done = await run(
      core,
      (keys) => keys.reservations([id]),
      async () => {
        const row = core.catalog.domains.owned(accountId, id);
        const patch = row === null ? null : patchOf(row);
        if (patch === null) return unchanged(row !== null);
        return { answer: true, writes: [core.store.reservedDomains.update(id, patch)], registry: [] };
      },
    );
    await settle(core, done.online);
    return done.answer;
  };
  return {
    dropCertificate: (caller, id) =>
      change(caller, id, (row) => {
        if (isManaged(core, row)) throw fail(436, { domain: row.domain });
        return row.certificateId === '' ? null : { certificateId: '', authority: NOBODY };
      }),
    dropPolicy: (caller, id) => change(caller, id, (row) => (isManaged(core, row) ? { authority: NOBODY } : null)),
  };
}

function isOurs({ config }: Core, domain: string): boolean {
  return config.baseDomains.some((base) => isUnder(domain, base));
}

function statusOf(
  { createdAt }: ReservedDomainRow,
  managed: ManagedCertificateRow | null,
): NonNullable<View['certificateManagementStatus']> {
  if (managed === null) {
    const job = { errorCode: null, msg: 'The certificate will be ordered in a moment.', startedAt: createdAt };
    return { renewsAt: null, provisioningJob: { ...job, retriesAt: null } };
  }
  const { renewsAt, errorCode, message, startedAt, retriesAt, certificateId } = managed;
  const done = certificateId !== '' && message === '' && startedAt === '';
  return {
    renewsAt: orNull(renewsAt),
    provisioningJob: done
      ? null
      : {
          errorCode: orNull(errorCode),
          msg: message || 'The certificate is being ordered.',
          startedAt: startedAt || managed.createdAt,
          retriesAt: orNull(retriesAt),
        },
  };
}

function orNull(text: string): string | null {
  return text === '' ? null : text;
}
