import { fail, type PosternError } from '@postern/errors';
import type { Write } from '@postern/store';
import { isUnder, isWildcard, wildcardsOver } from './addresses/hosts.ts';
import type { Address } from './addresses/urls.ts';
import type { Core } from './core.ts';

/** What an address rests on: a reservation that exists, or writes that make one, or nothing (not public). */
export interface Footing {
  readonly domainId: string;
  readonly tcpAddrId: string;
  /** To be committed together with the claim. */
  readonly writes: readonly Write[];
}

export type ReservationProblem =
  | { readonly kind: 'taken' }
  | { readonly kind: 'missing' }
  /** The account has a wider wildcard, but a wildcard endpoint needs its own. */
  | { readonly kind: 'wildcard-inexact'; readonly match: string };

const NOTHING: Footing = { domainId: '', tcpAddrId: '', writes: [] };

/**
 * Finds the reservation of a public address, or makes one where the installation allows it (api.md §4, URL rules;
 * docs/design.md §1, --auto-reserve). Call it inside the claim step.
 */
export function findFooting(core: Core, accountId: string, address: Address): Footing | ReservationProblem {
  if (address.binding !== 'public') return NOTHING;
  return address.scheme === 'tcp'
    ? addrFooting(core, accountId, address)
    : domainFooting(core, accountId, address.host);
}

export function isProblem(footing: Footing | ReservationProblem): footing is ReservationProblem {
  return 'kind' in footing;
}

/** 18006 and 414, as the API says it. */
export function apiReservationError(address: Address, problem: ReservationProblem): PosternError {
  if (problem.kind === 'taken' && address.scheme !== 'tcp') return fail(414, { domain: address.host });
  return fail(18006, { url: address.url, how: howToReserve(address) });
}

export function howToReserve(address: Address): string {
  return address.scheme === 'tcp'
    ? 'POST /reserved_addrs gives an address; or run the server with --auto-reserve any'
    : 'POST /reserved_domains; or run the server with --auto-reserve any';
}

/** 307, 318, 319, 320, 321, as an agent is told. */
export function agentReservationError(address: Address, problem: ReservationProblem): PosternError {
  if (address.scheme === 'tcp')
    return fail(307, { addr: `${address.host}:${address.port}`, how: 'see /reserved_addrs' });
  switch (problem.kind) {
    case 'taken':
      return fail(320, { domain: address.host });
    case 'wildcard-inexact':
      return fail(321, { domain: address.host, match: problem.match });
    default:
      return fail(isWildcard(address.host) ? 318 : 319, { domain: address.host });
  }
}

function domainFooting(core: Core, accountId: string, host: string): Footing | ReservationProblem {
  const { domains } = core.catalog;
  const exact = domains.at(host)[0];
  if (exact !== undefined)
    return exact.accountId === accountId ? { ...NOTHING, domainId: exact.id } : { kind: 'taken' };
  for (const pattern of wildcardsOver(host)) {
    const wider = domains.at(pattern)[0];
    if (wider === undefined) continue;
    if (wider.accountId !== accountId) return { kind: 'taken' };
    if (!isWildcard(host)) return { ...NOTHING, domainId: wider.id };
    if (mayReserve(core, host)) break;
    return { kind: 'wildcard-inexact', match: wider.domain };
  }
  if (!mayReserve(core, host)) return { kind: 'missing' };
  if (isWildcard(host) && coversForeignName(core, accountId, host)) return { kind: 'taken' };
  const id = core.ids.next('rd');
  const row = { id, accountId, createdAt: core.timestamp(), domain: host, description: '', metadata: '' };
  return {
    domainId: id,
    tcpAddrId: '',
    writes: [core.store.reservedDomains.insert({ ...row, automatic: true, region: '' })],
  };
}

/** Whether another account has reserved a name that the wildcard would match. */
export function coversForeignName(core: Core, accountId: string, wildcard: string): boolean {
  const suffix = wildcard.slice(1);
  for (const row of core.catalog.domains.all()) {
    if (row.accountId !== accountId && row.domain.endsWith(suffix)) return true;
  }
  return false;
}

function mayReserve(core: Core, host: string): boolean {
  const { autoReserve, baseDomains } = core.config;
  if (autoReserve === 'any') return true;
  return autoReserve === 'base' && baseDomains.some((domain) => isUnder(host, domain));
}

function addrFooting(core: Core, accountId: string, address: Address): Footing | ReservationProblem {
  const addr = `${address.host}:${address.port}`;
  const known = core.catalog.addrs.at(addr)[0];
  if (known !== undefined)
    return known.accountId === accountId ? { ...NOTHING, tcpAddrId: known.id } : { kind: 'taken' };
  if (core.config.autoReserve === 'off') return { kind: 'missing' };
  const id = core.ids.next('ra');
  const row = { id, accountId, createdAt: core.timestamp(), addr, port: address.port, description: '', metadata: '' };
  return {
    domainId: '',
    tcpAddrId: id,
    writes: [core.store.reservedAddrs.insert({ ...row, automatic: true, region: '' })],
  };
}
