/**
 * All that the data plane needs from the rest of Postern, and all that may be asked of it. Serialisable and
 * asynchronous: in one process it is function calls, with workers it crosses a channel (DESIGN §2).
 */
import type { AuthRequest, BindRequest, LabelBindRequest, PatchTunnelRequest } from '@postern/protocol';

export type Scheme = 'http' | 'https' | 'tls' | 'tcp';
export type BindingName = 'public' | 'internal' | 'kubernetes';

/** Where bytes of an endpoint go: a listener of an agent session. */
export interface AgentUpstream {
  readonly sessionId: string;
  /** Id for the proxy header, as the agent knows it. */
  readonly tunnelId: string;
  /** For pages and logs: what the agent says it forwards to. */
  readonly forwardsTo: string;
  /** What is spoken into the stream for http(s) endpoints. */
  readonly protocol: 'http1' | 'http2';
  /** PROXY protocol header that the edge writes first; 0 = none. */
  readonly proxyProtocol: 0 | 1 | 2;
}

/** How TLS of a `tls` endpoint is treated; `https` always ends here. */
export type TlsMode =
  | { readonly at: 'agent' }
  /** PEM texts; null = the certificate that Postern has for the name. */
  | { readonly at: 'edge'; readonly cert: string | null; readonly key: string | null };

/** One route of an HTTPS edge (api.md §6, edges). */
export interface EdgeRoute {
  readonly matchType: 'exact_path' | 'path_prefix';
  readonly match: string;
  /** Empty when no tunnel of the group is online. */
  readonly upstreams: readonly AgentUpstream[];
}

/** An endpoint as the edge routes to it. */
export interface RouteEndpoint {
  readonly id: string;
  readonly accountId: string;
  readonly kind: 'cloud' | 'agent' | 'edge';
  readonly proto: Scheme;
  readonly binding: BindingName;
  /** Lower-case, without port; `*.` first for a wildcard. For public tcp: ignored, the port decides. */
  readonly host: string;
  /** Port of the URL (default port filled in). Public http, https and tls endpoints are matched by host alone. */
  readonly port: number;
  readonly url: string;
  /** What a visitor can open: with the public port when that is not the scheme's default. */
  readonly publicUrl: string;
  readonly pooling: boolean;
  /** Traffic policy text (JSON or YAML), validated by control; '' = none. The edge compiles it once. */
  readonly policy: string;
  readonly tls: TlsMode;
  /** Empty for cloud endpoints; one for agents; those of the tunnel group for tls and tcp edges. */
  readonly upstreams: readonly AgentUpstream[];
  /** HTTPS edges only: in order of creation. */
  readonly routes: readonly EdgeRoute[];
}

export interface RouteUpdate {
  /** Grows by one with each update of this link. */
  readonly revision: number;
  /** Replaces everything when true. */
  readonly snapshot: boolean;
  readonly upserts: readonly RouteEndpoint[];
  readonly removes: readonly string[];
}

export interface TlsIdentity {
  /** PEM, leaf first. */
  readonly cert: string;
  readonly key: string;
}

export interface AgentSessionAccepted {
  /** `ts_…` */
  readonly sessionId: string;
  readonly clientId: string;
  readonly cookie: string;
  readonly accountId: string;
  readonly accountName: string;
  readonly region: string;
  readonly banner: string;
}

export interface AgentBound {
  /** Id that the agent keeps and that proxy headers carry. */
  readonly id: string;
  readonly url: string;
  readonly proto: Scheme;
  /** Resume token. */
  readonly token: string;
  /** `tn_…` */
  readonly tunnelId: string;
}

/** One finished exchange or connection, for logs and metrics. No payloads. */
export interface TrafficEvent {
  readonly kind: 'http' | 'tcp' | 'tls';
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

export interface ControlLink {
  /** Starts the stream of route updates: a snapshot first, then changes, each awaited. Called once. */
  follow(edge: EdgePort): Promise<void>;
  /** Certificate for a server name that an endpoint, a reservation or this installation covers; null = none. */
  certificateFor(serverName: string): Promise<TlsIdentity | null>;
  /** Throws PosternError. `remoteAddr` is ip:port of the agent. */
  authenticate(request: AuthRequest, remoteAddr: string): Promise<AgentSessionAccepted>;
  /** Throws PosternError. The route is live (applied here) before this resolves. */
  bind(sessionId: string, request: BindRequest): Promise<AgentBound>;
  bindLabels(sessionId: string, request: LabelBindRequest): Promise<{ readonly id: string }>;
  /** Idempotent: unknown ids are no error. The route is gone before this resolves. */
  unbind(sessionId: string, id: string): Promise<void>;
  patchTunnel(sessionId: string, request: PatchTunnelRequest): Promise<void>;
  /** The session's wire is gone; its endpoints go offline. */
  sessionEnded(sessionId: string, reason: string): Promise<void>;
  traffic(event: TrafficEvent): void;
}

export type AgentCommand =
  | { readonly kind: 'stop' }
  | { readonly kind: 'restart' }
  | { readonly kind: 'update'; readonly version: string; readonly permitMajorVersion: boolean };

/** What control may ask of an edge. */
export interface EdgePort {
  /** Resolves when new requests see the update. */
  applyRoutes(update: RouteUpdate): Promise<void>;
  /** Resolves with the agent's own error text ('' = done). Throws PosternError 810 when it stays silent. */
  agentCommand(sessionId: string, command: AgentCommand): Promise<string>;
  /** Tells the agent that a listener of its was ended here (agent-protocol.md §5.8). Best effort. */
  stopTunnel(sessionId: string, tunnelId: string, message: string, errorCode: string | null): void;
  /** Closes the wire of a session that was displaced, revoked or is silent. */
  closeSession(sessionId: string, reason: string): void;
  /**
   * Whether the agent answers a heartbeat now, within one second (false also when the session is not here). Asked
   * when another process of the same user wants the session's address: a stopped process keeps its socket open.
   */
  probeSession(sessionId: string): Promise<boolean>;
}
