/**
 * Reservations that a claim made by itself go with their last user. Who may still need one is asked of what is there
 * now, never of what was meant, so that one rule serves endpoints, edges, agents and every claim that is taken back.
 */
import type { ReservedAddrRow, ReservedDomainRow, Write } from '@postern/store';
import type { Core } from '../core.ts';
import { addressesOfAddr, addressesOfDomain, usersOfAddr, usersOfDomain } from '../users.ts';
import type { Decision } from './value.ts';

/** What a footing or a row says of its reservations; '' = none. */
export interface Footed {
  readonly domainId: string;
  readonly tcpAddrId: string;
}

/** A reservation that is given back. */
export type Released =
  | { readonly table: 'reservedDomains'; readonly row: ReservedDomainRow }
  | { readonly table: 'reservedAddrs'; readonly row: ReservedAddrRow };

export function reservationsOf(footed: readonly (Footed | null)[]): string[] {
  return footed.flatMap((one) => (one === null ? [] : [one.domainId, one.tcpAddrId])).filter((id) => id !== '');
}

/** The change that deletes those of these automatic reservations that nobody uses. Inside a step that has their keys. */
export async function releaseOf(core: Core, ids: Iterable<string>): Promise<Decision<readonly Released[]>> {
  const automatic = [...new Set(ids)].map((id) => findAutomatic(core, id)).filter((found) => found !== null);
  const fence = await core.registry.snapshot(automatic.flatMap(addressesOf));
  const unused: Released[] = [];
  for (const found of automatic) if ((await usersOf(core, found)).length === 0) unused.push(found);
  return {
    answer: unused,
    writes: unused.map(({ table, row }): Write => ({ op: 'delete', table, id: row.id })),
    registry: [],
    fence: new Map(unused.flatMap(addressesOf).map((key) => [key, fence.get(key) ?? []])),
  };
}

function findAutomatic({ catalog }: Core, id: string): Released | null {
  const domain = catalog.domains.get(id);
  if (domain?.automatic === true) return { table: 'reservedDomains', row: domain };
  const addr = catalog.addrs.get(id);
  return addr?.automatic === true ? { table: 'reservedAddrs', row: addr } : null;
}

function usersOf(core: Core, { table, row }: Released): Promise<string[]> {
  return table === 'reservedDomains' ? usersOfDomain(core, row) : usersOfAddr(core, row);
}

function addressesOf({ table, row }: Released): string[] {
  return table === 'reservedDomains' ? addressesOfDomain(row) : addressesOfAddr(row);
}
