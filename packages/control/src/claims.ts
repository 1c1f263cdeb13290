/** Who is at an address now, of all types and accounts; who may join them says `rules/conflicts.ts`. */
import { addressKey, type Snapshot } from '@postern/registry';
import type { Address } from './addresses/urls.ts';
import type { Core } from './core.ts';
import type { Holder } from './rules/conflicts.ts';

/**
 * Everybody at the address, of all three types and of every account. `https://h` and `tls://h` are both found by the
 * server name on one port, so they exclude each other: the twin scheme is looked up as well and never pools.
 */
export async function holdersAt(core: Core, accountId: string, address: Address): Promise<readonly Holder[]> {
  return (await lookAt(core, accountId, address)).holders;
}

/** The same, with what has to be so still when a claim that is decided on it is carried out. */
export async function lookAt(
  core: Core,
  accountId: string,
  address: Address,
): Promise<{ readonly holders: readonly Holder[]; readonly fence: Snapshot }> {
  const own = addressKey({ ...address, accountId });
  const twin = twinOf(address);
  const other = twin === null ? null : addressKey({ ...twin, accountId });
  const fence = await core.registry.snapshot(other === null ? [own] : [own, other]);
  const others = other === null ? [] : holdersOfKey(core, other, fence).map(withoutPooling);
  return { holders: [...holdersOfKey(core, own, fence), ...others], fence };
}

function holdersOfKey(core: Core, key: string, online: Snapshot): Holder[] {
  const clouds = core.catalog.endpoints
    .at(key)
    .map((row): Holder => ({ kind: 'cloud', id: row.id, accountId: row.accountId, pooling: row.poolingEnabled }));
  const edges = core.catalog.edges
    .at(key)
    .map((row): Holder => ({ kind: 'edge', id: row.id, accountId: row.accountId, pooling: false }));
  const agents = (online.get(key) ?? []).flatMap((tunnel): Holder[] => {
    const endpoint = tunnel.endpoint;
    if (endpoint === null) return [];
    const { accountId } = tunnel;
    return [{ kind: 'agent', id: endpoint.id, accountId, pooling: endpoint.poolingEnabled, tunnel }];
  });
  return [...clouds, ...edges, ...agents];
}

function withoutPooling(holder: Holder): Holder {
  return holder.kind === 'edge' ? holder : { ...holder, pooling: false };
}

function twinOf(address: Address): Address | null {
  if (address.binding !== 'public') return null;
  if (address.scheme === 'https') return { ...address, scheme: 'tls' };
  return address.scheme === 'tls' ? { ...address, scheme: 'https' } : null;
}
