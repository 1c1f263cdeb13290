import type { LogFormat, LogLevel } from './tunnel-log.ts';

export type Proto = 'http' | 'tcp' | 'tls';

/** What the flags of `postern http|tcp|tls` say. */
export interface ShareOptions {
  readonly url?: string;
  readonly name: string;
  readonly description?: string;
  readonly metadata?: string;
  readonly binding?: string;
  readonly poolingEnabled?: boolean;
  readonly trafficPolicyFile?: string;
  readonly upstreamProtocol?: 'http1' | 'http2';
  readonly upstreamProxyProtocol?: '1' | '2';
  readonly upstreamTlsVerify?: boolean;
  readonly upstreamTlsVerifyCas?: string;
  readonly crt?: string;
  readonly key?: string;
  readonly authtoken?: string;
  readonly connectUrl?: string;
  readonly connectCas?: string;
  readonly logFormat: LogFormat;
  readonly logLevel: LogLevel;
}
