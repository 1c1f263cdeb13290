/** Who may join whom at one address. Pure. */
import { fail, type PosternError } from '@postern/errors';
import type { TunnelRecord } from '@postern/registry';

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
