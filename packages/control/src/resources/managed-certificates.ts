/** What certificates are ordered for, as people and programs ask: how far each is, and what to do next. */
import { fail } from '@postern/errors';
import type { ManagedCertificateRow } from '@postern/store';
import type { CertificateOrders, NameCheck } from '../config.ts';
import type { Core } from '../core.ts';
import type { Caller, ManagedCertificateService, ManagedCertificateView } from '../types.ts';
import { storedRows } from './paging.ts';

export function createManagedCertificates(core: Core): ManagedCertificateService {
  const rows = storedRows(core.store.managedCertificates);
  const orders = (): CertificateOrders => {
    const found = core.certificateOrders?.() ?? null;
    if (found === null) throw fail(90083);
    return found;
  };
  const view = async (row: ManagedCertificateRow, checks: readonly NameCheck[] | null = null) =>
    viewOf(core, row, checks);
  return {
    async get({ accountId }, id) {
      const row = await rows.owned(accountId, id);
      return row === null ? null : view(row);
    },
    async list({ accountId }, { beforeId, limit }) {
      const found = await rows.list(accountId, beforeId, limit + 1);
      return {
        items: await Promise.all(found.slice(0, limit).map((row) => view(row))),
        more: found.length > limit,
      };
    },
    async renew({ accountId }: Caller, id) {
      const row = await rows.owned(accountId, id);
      if (row === null) return false;
      const answer = await orders().renew(id);
      if (answer !== null && answer > 0) throw tooSoon(row, answer);
      return answer !== null;
    },
    async check({ accountId }: Caller, id) {
      const row = await rows.owned(accountId, id);
      if (row === null) return null;
      const answer = await orders().check(id);
      if (typeof answer === 'number') throw tooSoon(row, answer);
      return answer === null ? null : view(row, answer);
    },
  };
}

function tooSoon({ names }: ManagedCertificateRow, seconds: number): Error {
  return fail(90084, { names: names.join(', '), seconds }, { details: { retry_after: String(seconds) } });
}

async function viewOf(
  { store, config }: Core,
  row: ManagedCertificateRow,
  checks: readonly NameCheck[] | null,
): Promise<ManagedCertificateView> {
  const { id, createdAt, names, domainId, certificateId, keyType, directory, challenge } = row;
  const { renewsAt, attempts, errorCode, retriesAt } = row;
  const certificate = certificateId === '' ? null : await store.tlsCertificates.get(certificateId);
  return {
    id,
    createdAt,
    names,
    reservedDomainId: domainId,
    ...stateOf(row, config.certificates !== undefined),
    certificateId,
    issuer: certificate?.issuerCommonName ?? null,
    notAfter: certificate?.notAfter ?? null,
    privateKeyType: keyType,
    authority: URL.canParse(directory) ? new URL(directory).host : null,
    challenge,
    renewsAt,
    attempts,
    errorCode,
    retriesAt,
    checks,
  };
}

function stateOf(
  { message, startedAt, certificateId, renewsAt }: ManagedCertificateRow,
  ordering: boolean,
): Pick<ManagedCertificateView, 'status' | 'msg'> {
  if (!ordering) return { status: 'failing', msg: fail(90083).message };
  if (message !== '') return { status: 'failing', msg: message };
  if (startedAt !== '' || certificateId === '') return { status: 'pending', msg: 'The certificate is being ordered.' };
  return { status: 'active', msg: `Nothing: the next one is ordered at ${renewsAt}.` };
}
