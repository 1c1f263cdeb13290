/**
 * What agents and servers say to each other over typed streams (spec: agent-protocol.md §3–§6). Decoders accept any
 * case of the keys and ignore unknown ones; encoders write the exact PascalCase names that the official agents need.
 */

/** Stream types (agent-protocol.md §3). */
export const StreamType = {
  auth: 0,
  bind: 1,
  unbind: 2,
  proxy: 3,
  restart: 4,
  stop: 5,
  update: 6,
  bindLabels: 7,
  serverInfo: 8,
  stopTunnel: 9,
  patchTunnel: 10,
  heartbeat: 0xffffffff,
} as const;

export interface AuthRequest {
  readonly versions: readonly string[];
  readonly clientId: string;
  readonly authtoken: string;
  readonly cookie: string;
  readonly os: string;
  readonly arch: string;
  readonly agentVersion: string;
  readonly hostname: string;
  readonly userAgent: string;
  readonly metadata: string;
  /** Milliseconds. */
  readonly heartbeatInterval: number;
  /** Milliseconds. */
  readonly heartbeatTolerance: number;
  /** null: too old to support it; '': supported; else the reason why not, for people. */
  readonly updateUnsupported: string | null;
  readonly stopUnsupported: string | null;
  readonly restartUnsupported: string | null;
  readonly clientType: string;
  readonly legNumber: number;
  /** Proxied streams at once that the agent bears; 0 = not said. Only ours says it. */
  readonly streams: number;
}

export interface AuthResponse {
  readonly version: string;
  readonly clientId: string;
  readonly error?: string;
  readonly cookie?: string;
  readonly region?: string;
  readonly accountName?: string;
  readonly planName?: string;
  readonly banner?: string;
  readonly sessionId?: string;
  /** "host:port" of where the server can be reached, the one dialled first; used by agents with several legs. */
  readonly connectAddresses?: readonly string[];
}

/**
 * What `Proto` may be on the wire (agent-protocol.md §6). The schemes of `packages/link` are these; the wires are below
 * that package and import nothing of it.
 */
export type EndpointProto = 'http' | 'https' | 'tcp' | 'tls';

export interface BindRequest {
  /** '' for a new endpoint; else the Id of an earlier BindResp that must be kept. */
  readonly id: string;
  readonly proto: string;
  readonly forwardsTo: string;
  readonly forwardsProto: string;
  /** The Opts object exactly as received: it is echoed in the response, because agents send it back on reconnect. */
  readonly rawOpts: Readonly<Record<string, unknown>>;
  readonly opts: BindOptions;
  /** Resume token of ours, or ''. */
  readonly token: string;
  readonly ipPolicyRef: string;
  readonly metadata: string;
  readonly bindings: readonly string[];
  readonly poolingEnabled: boolean;
  readonly name: string;
  readonly description: string;
}

/** Who logs in visitors of an endpoint, and who of them may come in; without lists everybody whom the provider knows. */
export interface LoginOptions {
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly allowEmails?: readonly string[];
  readonly allowDomains?: readonly string[];
  readonly scopes?: readonly string[];
}

/** Opts of a bind with keys normalised; absent, null and zero values are left out (agent-protocol.md §5.3). */
export interface BindOptions {
  readonly url?: string;
  readonly domain?: string;
  readonly hostname?: string;
  readonly subdomain?: string;
  /** tcp: "host:port". */
  readonly addr?: string;
  readonly proxyProto: 0 | 1 | 2;
  readonly hostHeaderRewrite?: boolean;
  /** v2 agents: "user:password". */
  readonly auth?: string;
  readonly compression?: boolean;
  readonly circuitBreaker?: { readonly errorThreshold: number };
  readonly basicAuth?: readonly {
    readonly username: string;
    readonly password: string;
    readonly passwordHash: string;
  }[];
  readonly oauth?: LoginOptions & { readonly provider: string };
  readonly oidc?: LoginOptions & { readonly issuerUrl: string };
  readonly webhookVerification?: { readonly provider: string; readonly secret: string };
  /** PEM bundle. */
  readonly mutualTlsCa?: string;
  readonly requestHeaders?: HeaderEdits;
  readonly responseHeaders?: HeaderEdits;
  readonly websocketTcpConverter?: boolean;
  readonly userAgentFilter?: { readonly allow: readonly string[]; readonly deny: readonly string[] };
  readonly ipRestriction?: { readonly allow: readonly string[]; readonly deny: readonly string[] };
  readonly mutualTlsAtAgent?: boolean;
  /** Present for tls endpoints that end at the edge; PEM texts, '' = ours. Absent: pass through. */
  readonly tlsTermination?: { readonly cert: string; readonly key: string };
  /** Text (YAML or JSON) or an already parsed object. */
  readonly trafficPolicy?: string | Readonly<Record<string, unknown>>;
  /** Older field of the same meaning. */
  readonly policy?: string | Readonly<Record<string, unknown>>;
}

export interface HeaderEdits {
  /** [name, value] pairs. */
  readonly add: readonly (readonly [string, string])[];
  readonly remove: readonly string[];
}

export interface BindResponse {
  readonly id: string;
  readonly url: string;
  readonly proto: string;
  readonly opts: Readonly<Record<string, unknown>>;
  readonly token: string;
  readonly tunnelId?: string;
  readonly error?: string;
}

export interface LabelBindRequest {
  /** '' or the Id that the agent had before. */
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly forwardsTo: string;
  readonly forwardsProto: string;
  readonly metadata: string;
}

export interface PatchTunnelRequest {
  readonly tunnelId: string;
  readonly name?: string;
  readonly description?: string;
  readonly metadata?: string;
  readonly poolingEnabled?: boolean;
  readonly trafficPolicy?: string;
}

/** JSON header of a proxied stream (agent-protocol.md §6). */
export interface ProxyHeader {
  readonly id: string;
  /** "ip:port" or "[v6]:port". */
  readonly clientAddr: string;
  readonly proto: EndpointProto;
  readonly edgeType: '0' | '1' | '2' | '3';
  readonly passthroughTls: boolean;
}
