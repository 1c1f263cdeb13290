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
  /** null = nobody keeps an access log, or it is no visitor's. */
  readonly access: AccessFacts | null;
}

/** What an access log has beyond that. As the visitor sent it, before any rule; `''` = there is none. */
export interface AccessFacts {
  /** Who asked: the connection's peer, or the address that a believed proxy names. */
  readonly clientIp: string;
  readonly scheme: string;
  /** `HTTP/1.1`, … */
  readonly protocol: string;
  /** With its `?`. */
  readonly query: string;
  readonly userAgent: string;
  readonly referer: string;
  /** `X-Request-Id` */
  readonly requestId: string;
  /** `1.3`, …; '' also where TLS was passed through. */
  readonly tlsVersion: string;
  /** Agent session that served it. */
  readonly sessionId: string;
  /** Milliseconds until the head of the answer; -1 = none came. */
  readonly headMs: number;
}
