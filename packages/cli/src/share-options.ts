import type { OlderOptions } from './endpoints/older-options.ts';
import type { AgentFlags } from './flags/agent-flags.ts';

/** What an endpoint is to be: of flags, of a configuration file, or of a call of the local API. */
export interface EndpointOptions {
  readonly url?: string;
  /** Below the first base domain of the server. */
  readonly subdomain?: string;
  /** Both: two endpoints, for http and https. */
  readonly schemes?: readonly ('http' | 'https')[];
  readonly name: string;
  readonly description?: string;
  readonly metadata?: string;
  readonly binding?: string;
  readonly poolingEnabled?: boolean;
  /** Text of a policy, the file that has it, or where to fetch it. */
  readonly trafficPolicy?: string;
  readonly trafficPolicyFile?: string;
  readonly trafficPolicyUrl?: string;
  /** Options of earlier agents that are rules today. */
  readonly older?: OlderOptions;
  /** Its URL as a QR code, too. */
  readonly qr?: boolean;
  /** false: not kept for the inspector. */
  readonly inspect?: boolean;
  readonly upstreamProtocol?: 'http1' | 'http2';
  readonly upstreamProxyProtocol?: '1' | '2';
  readonly upstreamTlsVerify?: boolean;
  // Files, or PEM text.
  readonly upstreamTlsVerifyCas?: string;
  readonly crt?: string;
  readonly key?: string;
  readonly mutualTlsCas?: string;
  /** Of tls endpoints: where TLS ends; by default at the server with `crt`, at the service without. */
  readonly terminateAt?: 'edge' | 'agent' | 'upstream';
  /** A tunnel behind an edge. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** What the flags of `postern http|tcp|tls` say. */
export interface ShareOptions extends EndpointOptions, AgentFlags {}
