/**
 * What actions ask of whoever runs policies, beyond the message under way. Interfaces only: the edge implements them
 * once for all policies, so that what they keep outlives the edit of a policy.
 */
import type { PosternError } from '@postern/errors';

export interface PolicyServices {
  readonly counters: Counters;
  /** null where no request is under way: connection rules call nobody. */
  readonly outgoing: OutgoingHttp | null;
  /** null where nobody has named data about addresses. */
  readonly addresses: Addresses | null;
}

/** What operators' data says about addresses. */
export interface Addresses {
  /** Fast and without waiting: it is asked by every expression that needs it. @returns null when nothing is known */
  about(ip: string): AddressFacts | null;
}

export interface AddressFacts {
  readonly location: Place;
  /** Where the network is registered. */
  readonly registered: Place;
  /** 0 = not known. */
  readonly asNumber: number;
  readonly asOrganization: string;
  /** `proxy.anonymous.tor`, `com.github.hooks`; the groups that they imply need not be listed. */
  readonly categories: readonly string[];
}

/** Texts as they are shown; what is not known is absent. */
export interface Place {
  readonly city?: string;
  readonly continent?: string;
  readonly country?: string;
  readonly countryCode?: string;
  readonly isEu?: boolean;
  readonly latitude?: string;
  readonly longitude?: string;
  readonly metroCode?: string;
  readonly postalCode?: string;
  /** Kilometres within which the place is. */
  readonly radius?: string;
  readonly subdivision?: string;
  readonly timezone?: string;
}

/** Made once, with the policy: what an action counts, and up to where. */
export interface CountLimit {
  /** Which buckets belong together within an endpoint. One set has one window, whatever its capacity becomes. */
  readonly set: string;
  /** Events that one bucket may have within any window. */
  readonly capacity: number;
  readonly windowMs: number;
  /** Equal parts of the window; what is older than the oldest of them is forgotten part by part. */
  readonly slices: number;
}

/** Counts by endpoint, set and bucket, bounded in number; no set pushes out another's beyond its share. */
export interface Counters {
  /**
   * Counts one event in a bucket's sliding window, unless that is full.
   * @param endpointId whose policy counts
   * @param bucket short: it is kept as long as the count is
   * @returns 0 when there was room; else the milliseconds until there may be some
   */
  take(endpointId: string, bucket: string, limit: CountLimit): number;
}

/** A request of a policy's own. */
export interface OutgoingRequest {
  readonly method: string;
  /** Absolute and in normal form: `https://auth.internal:8443/check?a=b`. */
  readonly url: string;
  readonly headers: readonly (readonly [string, string])[];
  /** Empty = none. */
  readonly body: Buffer;
  readonly timeoutMs: number;
  /** Bytes of the answer's body, decoded. */
  readonly limit: number;
}

export interface OutgoingAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  /** Decoded. */
  readonly body: Buffer;
  readonly ms: number;
}

/** Calls internal endpoints of the account that a policy belongs to; nothing else can be reached by it. */
export interface OutgoingHttp {
  /**
   * Ends with the exchange of `from` at the latest. The rules of the called endpoint are paid for by the request that
   * `from` belongs to.
   * @param from the PolicyContext that the action runs in
   * @returns the answer, whatever its status, or why there is none; never rejects
   */
  call(request: OutgoingRequest, from: object): Promise<OutgoingAnswer | PosternError>;
}
