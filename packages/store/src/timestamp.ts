import type { Timestamp } from './types.ts';

/** Milliseconds since 1970 as the API writes times: whole seconds, RFC 3339, `Z` (api.md §3). Fractions are cut. */
export function timestamp(milliseconds: number): Timestamp {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
