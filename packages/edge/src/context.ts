/**
 * What the parts of the edge share. `edge.ts` makes one EdgeContext; every part gets its collaborators from it, so
 * that tests can replace any of them.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { CompiledPolicy, ConnView, InternalAddress, PolicyServices, ProviderSettings } from '@postern/policy';
import type { ControlLink, ExpectedName, NamedScheme, RouteEndpoint, RouteUpdate, TrafficEvent } from '@postern/link';
import type { Challenges } from './connection/challenges.ts';
import type { Turns } from './http/policy/call-turns.ts';
import type { HopMarks } from './http/exchange/hop-mark.ts';
import type { BodyRoom } from './http/exchange/body-room.ts';
import type { Moves } from './moves/moves.ts';
import type { AgentStreams } from './streams/agent-streams.ts';

/** Limits and deadlines (docs/design.md §3, Defaults). Bytes and milliseconds. */
export interface EdgeLimits {
  readonly headBytes: number;
  readonly clientHelloMs: number;
  readonly tlsHandshakeMs: number;
  readonly requestHeadMs: number;
  readonly idleMs: number;
  /** A visitor for whom bytes wait, and who accepts none of them for this long, is let go. */
  readonly stallMs: number;
  readonly rpcBytes: number;
  readonly drainMs: number;
  /** Streams at once into an agent that does not say what it bears; official ones break at 512. */
  readonly streamsPerSession: number;
  /** The same for one that says it, as our own does: most that is believed. */
  readonly mostStreamsPerSession: number;
  /** For the actions of one phase that wait, all together; each has a shorter deadline of its own. */
  readonly policyMs: number;
  /** For all of a request body that a policy reads. */
  readonly policyBodyMs: number;
  /** How long a request waits for a free stream or a lost agent's return. */
  readonly queueMs: number;
  /** How long visitors may have to wait until they are taken in, before some are refused; 0 = for ever. */
  readonly arrivalMs: number;
  /** Beyond its heartbeat interval, before a silent agent may lose an address to another process. */
  readonly suspectMs: number;
  /** How long an idle kept stream may wait for its visitor's next request. */
  readonly upstreamIdleMs: number;
  /** Visitor connections per listener, and per client address. */
  readonly connections: number;
  readonly connectionsPerIp: number;
}

export interface ListenAddress {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  /** Left out where this machine does not have the address: `::1` beside `127.0.0.1`. Others must be there. */
  readonly optional?: boolean;
}

/** Of visitors, at identity providers. */
export interface LoginConfig {
  /** Where providers send visitors back to; lower-case. No endpoint has this name. */
  readonly host: string;
  /** Domains under which several accounts have endpoints. */
  readonly sharedDomains: readonly string[];
  /** What the operator says of providers, by their names. */
  readonly providers: Readonly<Record<string, ProviderSettings>>;
}

/** Plain data: an edge may be made in another process than what configures it. */
export interface EdgeConfig {
  /** Where TCP endpoints listen; a port is opened while an endpoint holds it. */
  readonly tcpHosts: readonly Omit<ListenAddress, 'port'>[];
  /** Names under which agents dial (SNI), for the shared HTTPS port and for the agent certificate. */
  readonly agentNames: readonly string[];
  /** Proxies that are believed: CIDR ranges; and whether they send PROXY protocol headers. */
  readonly trustedProxies: readonly string[];
  readonly proxyProtocol: boolean;
  /** CIDR ranges that policies may reach although they are not public: `services/outside.ts`. */
  readonly policyOutgoingAllow: readonly string[];
  /** Whether an expression of a policy that fails ends its request (2254). */
  readonly strictExpressions: boolean;
  /** Whether finished requests and connections are told with what an access log has. */
  readonly accessLog: boolean;
  readonly logins: LoginConfig;
  /** What visitors see in URLs. */
  readonly publicHttpPort: number;
  readonly publicHttpsPort: number;
  /** Whether plain HTTP for a name that only an https or tls endpoint has is sent there. */
  readonly redirectToHttps: boolean;
  readonly region: string;
  /** What agents served before this start. */
  readonly expected: readonly ExpectedName[];
  readonly limits: EdgeLimits;
}

export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Mistakes of ours: guard.ts. */
export interface FaultReports {
  readonly count: number;
  /** Logs with the stack, and counts. Never throws. @param what it happened on, and ended */
  report(error: unknown, what: string, fields?: object): void;
}

/** What ends when a callback into it throws. */
export interface Fallible {
  fault(error: unknown): void;
}

/** One coarse wheel for every deadline (docs/performance.md: a timer per request is expensive). Resolution about 100 ms. */
export interface TimerWheel {
  /**
   * Calls back once after about `ms`, unless cancelled.
   * @param guard told of what the callback throws
   */
  schedule(ms: number, callback: () => void, guard?: Fallible): TimerHandle;
}
export interface TimerHandle {
  cancel(): void;
  /** Starts over with the same delay, without allocation: the idle timer of a busy connection. */
  refresh(): void;
  /** Milliseconds since it was scheduled or refreshed, as exact as the wheel is. */
  age(): number;
}

/** An endpoint with its policy compiled, once per revision of it. */
export interface LiveEndpoint {
  readonly endpoint: RouteEndpoint;
  /** null = no rules at all. */
  readonly policy: CompiledPolicy | null;
}

/** Every endpoint that shares one address. */
export interface Route {
  /** One, or the members of a pool. Never empty. */
  readonly members: readonly LiveEndpoint[];
}

export interface RouteTable {
  readonly revision: number;
  /** Endpoints that are routed. */
  readonly size: number;
  apply(update: RouteUpdate): void;
  /** Public http or https endpoint by lower-case host without port: exact, then the most specific wildcard. */
  findHttp(scheme: 'http' | 'https', host: string): Route | null;
  /** What owns an SNI name on the TLS port: an https or a tls endpoint (tls wins when both are exact). */
  findTls(serverName: string): Route | null;
  /** Whether the name, which has no route now, was last one whose TLS an agent ended. */
  isAwayPassthrough(serverName: string): boolean;
  findTcp(port: number): Route | null;
  /** An internal endpoint of the account. */
  findInternal(accountId: string, address: InternalAddress): Route | null;
  /** Kubernetes-bound, by host and port; its ingress is not built yet. */
  findKubernetes(accountId: string, host: string, port: number): Route | null;
  /** Ports that TCP endpoints hold; the listener follows it. */
  tcpPorts(): ReadonlySet<number>;
}

/** Names without a route whose agents are on their way back after a restart. */
export interface ReturningNames {
  expects(proto: NamedScheme, host: string): boolean;
  /** An internal endpoint of the account. */
  expectsInternal(accountId: string, address: InternalAddress): boolean;
}

/** Whom requests come from, over a connection or (a policy's own) over none. */
export interface VisitorFacts {
  readonly scheme: 'http' | 'https';
  readonly conn: ConnView;
  /** "ip:port" of the visitor, as agents get it. */
  readonly clientAddr: string;
  /** Endpoint whose connection rules ran (https); requests for another one with such rules get 421. */
  readonly ruledBy: LiveEndpoint | null;
  /** Whether the peer is a believed proxy, so that its X-Forwarded-* are kept. */
  readonly fromTrustedProxy: boolean;
}

/** A visitor's connection after it has been identified (and its TLS ended, if it has any). */
export interface VisitorConnection extends VisitorFacts {
  readonly socket: Socket | TLSSocket;
}

/** The HTTP half of the edge: `http/`. */
export interface HttpService {
  /** Takes over the socket. `head` = bytes already read from it. */
  serveHttp1(connection: VisitorConnection, head: Buffer | null): void;
  /** Takes over a socket from another edge, which has answered it before, between two requests. */
  serveMoved(connection: VisitorConnection): void;
  /** Resolves when it is served, or gone. */
  serveHttp2(connection: VisitorConnection): Promise<void>;
  /**
   * Stops taking requests: `connection: close`, GOAWAY. What is idle ends at once, FIN and a second later RST; resolves
   * when every connection has closed.
   */
  drain(): Promise<void>;
  /** Cuts what is left. */
  destroy(): void;
}

export interface EdgeContext {
  readonly config: EdgeConfig;
  readonly link: ControlLink;
  readonly routes: RouteTable;
  readonly returning: ReturningNames;
  readonly agents: AgentStreams;
  /** Connections that go on at other edges of this node; null = there are none. */
  readonly moves: Moves | null;
  /** Requests that come round again; signed as all edges of this node do. */
  readonly marks: HopMarks;
  /** What certificate authorities ask for. */
  readonly challenges: Challenges;
  /** For request bodies that policies read. */
  readonly bodies: BodyRoom;
  /** What policies keep between requests. */
  readonly services: PolicyServices;
  /** For the calls that they make. */
  readonly callTurns: Turns;
  readonly wheel: TimerWheel;
  readonly log: Log;
  readonly faults: FaultReports;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly random: () => number;
  readonly traffic: (event: TrafficEvent) => void;
}
