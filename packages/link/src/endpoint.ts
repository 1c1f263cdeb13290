/** What the edge routes to. Plain data. */
import type { Binding, Scheme } from './model.ts';

/** Where bytes of an endpoint go: a listener of an agent session. */
export interface AgentUpstream {
  readonly sessionId: string;
  /** Name of the edge of this node that has the session's wire; absent = the edge that reads this has it. */
  readonly edge?: string;
  /** Id for the proxy header, as the agent knows it. */
  readonly tunnelId: string;
  /** For pages and logs: what the agent says it forwards to. */
  readonly forwardsTo: string;
  /** What is spoken into the stream for http(s) endpoints; `bytes`: what visitors' WebSocket messages hold. */
  readonly protocol: 'http1' | 'http2' | 'bytes';
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
  readonly binding: Binding;
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
