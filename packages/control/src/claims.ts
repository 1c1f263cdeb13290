import { fail, type PosternError } from '@postern/errors';
import { addressKey, type Snapshot, type TunnelRecord } from '@postern/registry';
import type { Address } from './addresses/urls.ts';
import type { Core } from './core.ts';

/** Whoever is at an address now. */
export type Holder =
  | { readonly kind: 'cloud'; readonly id: string; readonly accountId: string; readonly pooling: boolean }
  | { readonly kind: 'edge'; readonly id: string; readonly accountId: string; readonly pooling: false }
  | {
      readonly kind: 'agent';
      readonly id: string;
      readonly accountId: string;
      readonly pooling: boolean;
      readonly tunnel: TunnelRecord;
    };

/** Why a newcomer may not join. */
export type Conflict = {
  readonly kind: 'exists' | 'pooling-off-there' | 'pooling-off-here';
  readonly holder: Holder;
};

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

/**
 * Pooling needs the flag on both sides, one account, and agent or cloud endpoints; an edge never shares (api.md §4,
 * Conflict; agent-and-ux.md §3.10). The first holder that stands in the way decides.
 */
export function conflictWith(holders: readonly Holder[], accountId: string, pooling: boolean): Conflict | null {
  for (const holder of holders) {
    if (holder.accountId !== accountId || holder.kind === 'edge') return { kind: 'exists', holder };
    if (holder.pooling && pooling) continue;
    return { kind: pooling ? 'pooling-off-there' : 'pooling-off-here', holder };
  }
  return null;
}

/**
 * 18016 and 18017 where setting pooling_enabled would help, which clients wait for and try again; 18009 is final: an edge or
 * another account has it.
 */
export function apiConflictError(url: string, accountId: string, conflict: Conflict): PosternError {
  const params = { url, holder: describeHolder(conflict.holder, accountId) };
  switch (conflict.kind) {
    case 'exists':
      return fail(18009, params);
    case 'pooling-off-there':
      return fail(18016, params);
    default:
      return fail(18017, params);
  }
}

/** 334 when the agent did not ask to share, 6030 when the holder does not share. */
export function agentConflictError(url: string, accountId: string, conflict: Conflict): PosternError {
  const holder = describeHolder(conflict.holder, accountId);
  if (conflict.kind === 'pooling-off-there') return fail(6030, { url, holder, existing: 'off', wanted: 'on' });
  return fail(334, { url, holder });
}

/** Other accounts' holders are not told apart. */
export function describeHolder(holder: Holder, accountId: string): string {
  if (holder.accountId !== accountId) return 'an endpoint of another account';
  switch (holder.kind) {
    case 'cloud':
      return `cloud endpoint ${holder.id}`;
    case 'edge':
      return `edge ${holder.id}`;
    default:
      return `agent endpoint ${holder.id} of session ${holder.tunnel.sessionId}`;
  }
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
