import { fail, type PosternError } from '@postern/errors';
import type { Write } from '@postern/store';
import { isWildcard } from './addresses/hosts.ts';
import type { Address } from './addresses/urls.ts';
import type { Core } from './core.ts';
import { NO_CERTIFICATE } from './state/certificate-key.ts';
import { groundOf, type ReservationProblem, type Reserved } from './rules/reservations.ts';

/** What an address rests on: a reservation that exists, or writes that make one, or nothing (not public). */
export interface Footing {
  readonly domainId: string;
  readonly tcpAddrId: string;
  /** To be committed together with the claim. */
  readonly writes: readonly Write[];
}

const NOTHING: Footing = { domainId: '', tcpAddrId: '', writes: [] };

/**
 * Finds the reservation of a public address, or makes one where the installation allows it (api.md §4, URL rules;
 * docs/design.md §1, --auto-reserve). Call it inside the claim step.
 */
export function findFooting(core: Core, accountId: string, address: Address): Footing | ReservationProblem {
  const found = groundOf(reservedOf(core), core.config, accountId, address);
  switch (found.kind) {
    case 'none':
      return NOTHING;
    case 'there':
      return address.scheme === 'tcp' ? { ...NOTHING, tcpAddrId: found.id } : { ...NOTHING, domainId: found.id };
    case 'to-reserve':
      return reserve(core, accountId, address);
    default:
      return found;
  }
}

/** What is reserved, as the rules look at it. */
export function reservedOf({ catalog }: Core): Reserved {
  return {
    domainAt: (name) => catalog.domains.at(name)[0],
    addrAt: (addr) => catalog.addrs.at(addr)[0],
    domains: () => catalog.domains.all(),
  };
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

function reserve(core: Core, accountId: string, { scheme, host, port }: Address): Footing {
  const row = { accountId, createdAt: core.timestamp(), description: '', metadata: '', automatic: true, region: '' };
  if (scheme === 'tcp') {
    const id = core.ids.next('ra');
    const writes = [core.store.reservedAddrs.insert({ ...row, id, addr: `${host}:${port}`, port })];
    return { domainId: '', tcpAddrId: id, writes };
  }
  const id = core.ids.next('rd');
  return {
    domainId: id,
    tcpAddrId: '',
    writes: [core.store.reservedDomains.insert({ ...row, ...NO_CERTIFICATE, id, domain: host })],
  };
}
