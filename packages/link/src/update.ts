import type { RouteEndpoint } from './endpoint.ts';

export interface RouteUpdate {
  /** Grows by one with each update of this link. */
  readonly revision: number;
  /** Replaces everything when true. */
  readonly snapshot: boolean;
  readonly upserts: readonly RouteEndpoint[];
  readonly removes: readonly string[];
}
