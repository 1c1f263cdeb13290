import type { Duplex } from 'node:stream';
import type { EndpointProto } from '@postern/protocol';
import type { AgentError } from './agent-error.ts';

export interface AgentLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface AgentOptions {
  /** `host:port` of the server's agent listener; `[v6]:port` too. Of several the next is dialled when one fails. */
  readonly serverAddr: string | readonly string[];
  /**
   * Connections that are kept to the server at the same time, to different addresses where there are, 1 by default and 4
   * at most. Each carries visitors of every endpoint; when one is lost the others go on.
   */
  readonly sessions?: number;
  /**
   * `http://`, `https://` or `socks5://user:password@host:port`: the server is reached through this proxy; or which one
   * for an address (undefined = none).
   */
  readonly proxy?: string | ((serverAddr: string) => string | undefined);
  /** IP addresses of the DNS servers that names are asked of; those of the system by default. */
  readonly resolvers?: readonly string[];
  /** Name of the network interface that the server is dialled from. */
  readonly networkInterface?: string;
  /** Name for SNI and the certificate check; the host by default. */
  readonly serverName?: string;
  /** PEM of the authority that signed the server's certificate; the system's roots by default. */
  readonly ca?: string;
  readonly authtoken: string;
  /** At most 4,096 bytes; shown by the API. */
  readonly metadata?: string;
  /** Milliseconds; 10,000 and 15,000 by default. */
  readonly heartbeatInterval?: number;
  readonly heartbeatTolerance?: number;
  /** Milliseconds for dialling, TLS and Auth together; 10,000 by default. */
  readonly connectTimeout?: number;
  readonly log?: AgentLog;
  /** How the agent names itself: `name/version`, and what it runs on. */
  readonly userAgent?: string;
  readonly agentVersion?: string;
  readonly hostname?: string;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
  /** In [0, 1). */
  readonly random?: () => number;
  readonly onStatus?: (status: AgentStatus) => void;
  /** Round trip of each heartbeat in milliseconds. */
  readonly onLatency?: (milliseconds: number) => void;
  /** false: the API may neither stop nor restart this agent, and is told so. */
  readonly managed?: boolean;
  /** Told after the answer left, when the API asks this agent to stop or restart; by default it closes, or reconnects. */
  readonly onStop?: () => void;
  readonly onRestart?: () => void;
}

export type AgentState = 'connecting' | 'online' | 'reconnecting' | 'closed';

export interface AgentStatus {
  readonly state: AgentState;
  /** Why an attempt failed, the session was lost, or (closed) ended by itself. */
  readonly error?: AgentError;
  /** Milliseconds until the next attempt. */
  readonly retryIn?: number;
  /** Online only: what the server said. */
  readonly server?: { readonly region: string; readonly accountName: string; readonly banner: string };
}

/** A visitor's connection that is served inside this process. */
export interface ForwardInfo {
  /** "ip:port" of the visitor. */
  readonly clientAddr: string;
  readonly proto: EndpointProto;
}

/** A visitor's connection that somebody wants to watch. */
export interface WatchInfo extends ForwardInfo {
  /** The visitor's bytes begin with a PROXY header, which the service asked for. */
  readonly behindProxyHeader: boolean;
}

/**
 * Sees the bytes of a connection as they pass, and holds nothing up: each call is on their way, and `chunk` is valid only
 * during it. What a method throws ends the watching, not the connection.
 */
export interface ConnectionWatch {
  /** What goes to the service. */
  fromVisitor?(chunk: Buffer): void;
  /** What goes to the visitor; the agent's own 502 too. */
  fromService?(chunk: Buffer): void;
  /** The connection is over; once. */
  over(): void;
}

export type ForwardFunction = (stream: Duplex, info: ForwardInfo) => void;

export interface ListenOptions {
  /** By default that of `url`, else tcp or tls as the upstream, else https. */
  readonly proto?: EndpointProto;
  /** Full URL wanted, `https://*.example.com` and `tcp://host:port` too; absent or a bare scheme = the server chooses. */
  readonly url?: string;
  /** Name only; older way to say it. */
  readonly domain?: string;
  /** Name below the first base domain of the server; older way to say it. */
  readonly subdomain?: string;
  /** `http://`, `https://`, `tcp://` or `tls://host:port`, or a function that serves each connection in this process. */
  readonly upstream: string | ForwardFunction;
  /** What is shown as the upstream; the URL by default. */
  readonly forwardsTo?: string;
  readonly name?: string;
  readonly description?: string;
  readonly metadata?: string;
  /** `internal` by default where the URL ends in .internal, else the server's choice. */
  readonly bindings?: readonly string[];
  readonly poolingEnabled?: boolean;
  /** YAML or JSON text. */
  readonly trafficPolicy?: string;
  /** What the upstream speaks; HTTP/1.1 by default. */
  readonly forwardsProto?: 'http1' | 'http2';
  /** http and https only: visitors speak WebSocket, and the upstream gets the bytes of their messages. */
  readonly websocketTcp?: boolean;
  /** Version of the PROXY header that the upstream wants; 0 by default. */
  readonly proxyProto?: 0 | 1 | 2;
  /** tls only: TLS ends at the server, with this certificate (PEM) or, without one, with the server's own. */
  readonly tlsTermination?: { readonly cert?: string; readonly key?: string };
  /** A listener behind an edge instead of an endpoint of its own. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Whether the certificate of an https or tls upstream must verify; false by default, `ca` implies true. */
  readonly verifyUpstream?: boolean;
  readonly upstreamCa?: string;
  /** Milliseconds to reach the upstream; 10,000 by default. */
  readonly dialTimeout?: number;
  /** Asked for each connection; undefined = this one is not watched. */
  readonly watch?: (info: WatchInfo) => ConnectionWatch | undefined;
}

export interface Listener {
  /** The Id that the server gave; stays the same over reconnects (except with labels). */
  readonly id: string;
  /** What visitors open; '' with labels. */
  readonly url: string;
  readonly proto: EndpointProto;
  readonly options: ListenOptions;
  /** Resolves when the listener is over: undefined after `close`, an error when the server or the session ended it. */
  readonly closed: Promise<AgentError | undefined>;
  /** Unbinds; connections under way go on. */
  close(): Promise<void>;
}

/** One of the connections of a session. */
export interface LegState {
  /** Where it is connected to, or was at last; '' before. */
  readonly address: string;
  readonly online: boolean;
  /** Round trip of the newest heartbeat in milliseconds. */
  readonly latency: number | undefined;
}

export interface AgentSession {
  /** online = at least one connection is. */
  readonly state: AgentState;
  readonly legs: readonly LegState[];
  /** Round trip of the newest heartbeat in milliseconds; undefined before the first. */
  readonly latency: number | undefined;
  readonly listeners: readonly Listener[];
  /** Resolves when online for the first time; rejects with an AgentError when the session ends before. */
  online(): Promise<void>;
  /** Binds, now or as soon as online. Rejects with the server's answer when it refuses. */
  listen(options: ListenOptions): Promise<Listener>;
  /** Unbinds everything, lets connections under way finish for `deadline` milliseconds (5,000 by default), closes. */
  close(deadline?: number): Promise<void>;
  /** Resolves when closed: undefined after `close`, else the error that ended it. */
  readonly closed: Promise<AgentError | undefined>;
}
