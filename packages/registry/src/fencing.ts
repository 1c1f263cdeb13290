import type { Fence, SessionRecord, TunnelRecord } from './types.ts';

/** Who asks for an address that is held. */
export interface Claim extends Fence {
  readonly accountId: string;
  /** The claimant's own session: a second bind within it is a conflict, not a return. */
  readonly sessionId: string;
  /** It would share the address. */
  readonly pooling: boolean;
}

/**
 * Whether a claimant is the holder coming back, and so takes the address at once (docs/design.md §5, fencing): within one
 * account, either it proved the endpoint's id with a resume token, or it is the same leg of the same agent on a new
 * session; or it proved an endpoint that the holder took the address from while its agent was away, and the two do not
 * share. Everybody else has to meet the rules for pooling.
 */
export function mayTakeOver(
  existing: { readonly session: SessionRecord; readonly tunnel: TunnelRecord },
  claim: Claim,
): boolean {
  const { session, tunnel } = existing;
  if (tunnel.accountId !== claim.accountId) return false;
  const { provenEndpointId: proven, pooling } = claim;
  if (proven !== '' && tunnel.endpoint?.id === proven) return true;
  const shared = pooling && tunnel.endpoint?.poolingEnabled === true;
  if (proven !== '' && tunnel.tookFrom.includes(proven) && !shared) return true;
  return (
    claim.clientId !== '' &&
    session.id !== claim.sessionId &&
    session.clientId === claim.clientId &&
    session.legNumber === claim.legNumber
  );
}
