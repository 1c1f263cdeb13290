/** What a public address rests on, judged by what is reserved. Pure. */
import { isUnder, isWildcard, wildcardsOver } from '../addresses/hosts.ts';
import type { Address } from '../addresses/urls.ts';

interface Owned {
  readonly id: string;
  readonly accountId: string;
}

/** All that is reserved, of every account. */
export interface Reserved {
  /** By the exact name, wildcards by their pattern. */
  domainAt(name: string): Owned | undefined;
  /** By `host:port`. */
  addrAt(addr: string): Owned | undefined;
  domains(): Iterable<{ readonly accountId: string; readonly domain: string }>;
}

export interface ReservationPolicy {
  readonly autoReserve: 'any' | 'base' | 'off';
  readonly baseDomains: readonly string[];
}

export type ReservationProblem =
  | { readonly kind: 'taken' }
  | { readonly kind: 'missing' }
  /** The account has a wider wildcard, but a wildcard endpoint needs its own. */
  | { readonly kind: 'wildcard-inexact'; readonly match: string };

export type Ground =
  /** The address is not public and needs nothing. */
  | { readonly kind: 'none' }
  | { readonly kind: 'there'; readonly id: string }
  /** Nothing yet, and the installation lets an exact reservation make itself. */
  | { readonly kind: 'to-reserve' };

export function groundOf(
  reserved: Reserved,
  policy: ReservationPolicy,
  accountId: string,
  address: Pick<Address, 'scheme' | 'binding' | 'host' | 'port'>,
): Ground | ReservationProblem {
  const { scheme, binding, host, port } = address;
  if (binding !== 'public') return { kind: 'none' };
  if (scheme !== 'tcp') return groundOfName(reserved, policy, accountId, host);
  const known = reserved.addrAt(`${host}:${port}`);
  if (known !== undefined) return of(known, accountId);
  return policy.autoReserve === 'off' ? { kind: 'missing' } : { kind: 'to-reserve' };
}

/** Whether another account has reserved a name that the wildcard would match. */
export function coversForeignName(reserved: Reserved, accountId: string, wildcard: string): boolean {
  const suffix = wildcard.slice(1);
  for (const row of reserved.domains()) {
    if (row.accountId !== accountId && row.domain.endsWith(suffix)) return true;
  }
  return false;
}

function groundOfName(
  reserved: Reserved,
  policy: ReservationPolicy,
  accountId: string,
  host: string,
): Ground | ReservationProblem {
  const exact = reserved.domainAt(host);
  if (exact !== undefined) return of(exact, accountId);
  for (const pattern of wildcardsOver(host)) {
    const wider = reserved.domainAt(pattern);
    if (wider === undefined) continue;
    if (wider.accountId !== accountId || !isWildcard(host)) return of(wider, accountId);
    if (mayReserve(policy, host)) break;
    return { kind: 'wildcard-inexact', match: pattern };
  }
  if (!mayReserve(policy, host)) return { kind: 'missing' };
  if (isWildcard(host) && coversForeignName(reserved, accountId, host)) return { kind: 'taken' };
  return { kind: 'to-reserve' };
}

function of(owned: Owned, accountId: string): Ground | ReservationProblem {
  return owned.accountId === accountId ? { kind: 'there', id: owned.id } : { kind: 'taken' };
}

function mayReserve({ autoReserve, baseDomains }: ReservationPolicy, host: string): boolean {
  if (autoReserve === 'any') return true;
  return autoReserve === 'base' && baseDomains.some((domain) => isUnder(host, domain));
}
