/** What a variant is: where the load goes, and whose CPU time counts. */
import type { Measured } from '../children.ts';
import type { LoadTarget } from '../load.ts';
import type { Shared } from '../postern.ts';
import type { Stage } from '../stage.ts';

export interface Variant {
  readonly id: string;
  readonly title: string;
  readonly target: LoadTarget;
  /** In the order in which the request crosses them. */
  readonly measured: readonly Measured[];
}

/** Those that are asked for together; `core` is what runs when nothing is asked for. */
export type Group =
  | 'core'
  | 'http2'
  | 'bytes'
  | 'peers'
  | 'sdk'
  | 'policy'
  | 'websocket'
  | 'cold'
  | 'routes'
  | 'bulk'
  | 'bulk-bytes';

/** A variant before anything of it has been started. */
export interface Definition {
  readonly id: string;
  readonly group: Group;
  readonly title: string;
  /** Starts what it needs. @throws Missing where this machine has not what it needs */
  readonly start: (stage: Stage) => Promise<Shared>;
}

export function loopback(port: number, change: Partial<LoadTarget> = {}): LoadTarget {
  return { host: '127.0.0.1', port, path: '/', hostHeader: 'nginx.postern.localhost', tls: false, ...change };
}
