import type { Scheme } from './model.ts';

/** One finished exchange or connection, for logs and metrics. No payloads. */
export interface TrafficEvent {
  /** http = an exchange, whether it came over TLS or not. */
  readonly kind: Exclude<Scheme, 'https'>;
  readonly endpointId: string;
  readonly accountId: string;
  /** Unix milliseconds. */
  readonly startedAt: number;
  readonly durationMs: number;
  readonly clientAddr: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly status: number;
  /** `ERR_NGROK_n` or ''. */
  readonly errorCode: string;
  /** Why it ended: 'complete', 'client-gone', 'upstream-reset', … */
  readonly reason: string;
}
