import type { RouteEndpoint } from './endpoint.ts';
import type { PolicyResource } from './resource.ts';

export interface RouteUpdate {
  /** Grows by one with each update of this link. */
  readonly revision: number;
  /** Replaces everything when true. */
  readonly snapshot: boolean;
  readonly upserts: readonly RouteEndpoint[];
  readonly removes: readonly string[];
}

export interface ResourceUpdate {
  /** Replaces everything when true. */
  readonly snapshot: boolean;
  readonly upserts: readonly PolicyResource[];
  /** Ids; unknown ones are no error. */
  readonly removes: readonly string[];
}
