/** Who has to act so that a failure goes away. Decides the tone of pages and the level of the log line. */
export type ErrorOwner = 'client' | 'config' | 'upstream' | 'capacity' | 'platform';

/**
 * One row of the error table.
 *
 * The number after `ERR_NGROK_` is the published identifier that clients match on (spec: agent-protocol.md §11,
 * api.md §2, traffic-policy.md §9). The words are our own; `{name}` in `message` is filled from the parameters given
 * to {@link fail}.
 */
export interface ErrorEntry {
  /** HTTP status, where the failure is answered over HTTP. */
  readonly status: number;
  readonly owner: ErrorOwner;
  /** A few words for a page's heading. */
  readonly title: string;
  /** What happened and what to do next, in one or two sentences. */
  readonly message: string;
}
