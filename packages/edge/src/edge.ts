/** The data plane, put together: see README.md for the way of one request through it. */
import type { Socket } from 'node:net';
import { compilePolicy } from '@postern/policy';
import { AgentPlane } from './agents/agent-plane.ts';
import { ByteDelivery } from './connection/byte-delivery.ts';
import { CertificateCache } from './connection/certificates.ts';
import { CidrList } from './connection/cidr-list.ts';
import { Connections, type Gates } from './connection/connections.ts';
import { Gate } from './connection/gate.ts';
import { listen, type Listening } from './connection/listeners.ts';
import { ignore } from './connection/pipe.ts';
import { TcpPorts } from './connection/tcp-ports.ts';
import { TlsTerminators } from './connection/tls-terminators.ts';
import type { EdgeConfig, EdgeContext, HttpService, ListenAddress, Log } from './context.ts';
import type { ControlLink, EdgePort } from '@postern/link';
import { withDeadline } from './deadline.ts';
import { Faults } from './guard.ts';
import { BodyRoom } from './http/exchange/body-room.ts';
import { createHttpService } from './http/service.ts';
import { Returning } from './routing/returning.ts';
import { RouteApplier } from './routing/route-applier.ts';
import { createRouteTable } from './routing/route-table.ts';
import { limitedLog } from './limited-log.ts';
import { createTimerWheel } from './timer-wheel.ts';
import { policyWarningCount } from './policy-warnings.ts';
import { CircuitBreakers } from './services/breakers.ts';
import { SlidingCounters } from './services/counters.ts';
import { EventLog } from './services/event-log.ts';
import { NO_KEYS } from './services/keys.ts';
import { TrafficBatch } from './traffic-batch.ts';

/** When the server stops: what a connection gets to send its first byte, and to come to what serves it. */
const FIRST_BYTE_MS = 1_000;
const ARRIVAL_MS = 3_000;
/** When what is left is cut: how long that takes to be told. */
const CUT_MS = 1_000;

export interface EdgeOptions {
  readonly config: EdgeConfig;
  readonly link: ControlLink;
  readonly log: Log;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** [0, 1) */
  readonly random: () => number;
  /** Those that were opened before there was an edge; their addresses in `config` are not bound then. */
  readonly listeners?: { readonly [name in 'http' | 'https' | 'agents']?: OpenListener | null };
  /** What agents served before this start. */
  readonly returning?: Returning;
}

/** A listener that someone else has bound; whoever comes before {@link serve} is held. */
export interface OpenListener {
  readonly addresses: readonly ListenAddress[];
  /** Hands over who waits and who comes. Sockets have `allowHalfOpen`, as the edge's own. */
  serve(onConnection: (socket: Socket) => void): void;
  /** Accepts nothing more, and ends who still waits. */
  close(): void;
}

/** Numbers of this moment. */
export interface EdgeStats {
  readonly agentSessions: number;
  readonly agentStreams: number;
  /** Places (streams) of all agent sessions: used and free now, visitors that wait for one; since the start, refused
   * after waiting, and taken back from who could spare them. */
  readonly places: {
    readonly used: number;
    readonly free: number;
    readonly waiting: number;
    readonly refused: number;
    readonly reclaimed: number;
  };
  readonly visitorConnections: number;
  /** Connections turned away by the limits since the start. */
  readonly refusedConnections: number;
  readonly endpoints: number;
  /** Mistakes inside the edge since the start; each ended one connection, one request or one RPC. */
  readonly faults: number;
  /** Expressions of policies that failed since the start, so that their rule was passed over. */
  readonly policyWarnings: number;
  /** Buckets of `rate-limit`: kept now; since the start, those that had to go while they counted. */
  readonly buckets: { readonly kept: number; readonly forgotten: number };
  /** Events of policies that found no room since the start. */
  readonly lostEvents: number;
}

export interface Edge {
  readonly port: EdgePort;
  /** First address of each listener as bound; port 0 until {@link start} has bound it. */
  readonly addresses: { readonly http: ListenAddress; readonly https: ListenAddress; readonly agents: ListenAddress };
  /**
   * Opens the agent listener, then the visitors' ones, then follows the routes; nobody is answered before the first
   * snapshot is applied. Rejects with the system's error when an address cannot be bound.
   */
  start(): Promise<void>;
  /**
   * Closes every listener at once, ends what is idle, finishes what is in flight until `limits.drainMs` is over, cuts
   * the rest, closes agents last.
   * @param successor resolves when another server takes agents: those without visitors are sent there from then on
   */
  stop(successor?: Promise<void>): Promise<void>;
  /** Asks for every certificate anew; connections that are open keep theirs. */
  reloadCertificates(): void;
  stats(): EdgeStats;
}

export function createEdge(options: EdgeOptions): Edge {
  return new DataPlane(options);
}

class DataPlane implements Edge {
  readonly port: EdgePort;
  readonly #context: EdgeContext;
  readonly #http: HttpService;
  readonly #agents: AgentPlane;
  readonly #bytes: ByteDelivery;
  readonly #certificates: CertificateCache;
  readonly #terminators: TlsTerminators;
  readonly #gates: Readonly<Record<keyof Gates, Gate>>;
  readonly #connections: Connections;
  readonly #tcpPorts: TcpPorts;
  readonly #traffic: TrafficBatch;
  readonly #faults: Faults;
  readonly #counters = new SlidingCounters(() => performance.now());
  readonly #events: EventLog;
  readonly #ready = Promise.withResolvers<void>();
  readonly #opened: NonNullable<EdgeOptions['listeners']>;
  #listening: { http?: Listening; https?: Listening; agents?: Listening } = {};
  #stopping: Promise<void> | null = null;

  constructor(options: EdgeOptions) {
    const { config, link, now, random } = options;
    const { limits } = config;
    const log = limitedLog(options.log, now);
    this.#opened = options.listeners ?? {};
    const faults = new Faults(log);
    this.#faults = faults;
    this.#events = new EventLog(log, () => performance.now());
    const wheel = createTimerWheel({ onFault: (error) => faults.report(error, 'a timer') });
    this.#traffic = new TrafficBatch(wheel, (events) => link.traffic(events));
    const routes = createRouteTable({ compile: compilePolicy, log });
    this.#agents = new AgentPlane({
      link,
      wheel,
      log,
      faults,
      limits,
      region: config.region,
      connect: {
        names: config.agentNames,
        ports: () => this.#listening.agents?.addresses.map(({ port }) => port) ?? [],
      },
      webUrl: () => config.webUrl,
      now,
      random,
      ready: this.#ready.promise,
    });
    // A start that fails says so itself.
    this.#ready.promise.catch(() => {});
    const returning = options.returning ?? new Returning({ expected: [], now, onChange: ignore });
    const context: EdgeContext = {
      config,
      link,
      routes,
      returning,
      agents: this.#agents.streams,
      bodies: new BodyRoom(),
      services: {
        breakers: new CircuitBreakers(() => performance.now()),
        counters: this.#counters,
        events: this.#events,
        keys: NO_KEYS,
        outgoing: null,
        addresses: null,
      },
      wheel,
      log,
      faults,
      now,
      random,
      traffic: (event) => this.#traffic.add(event),
    };
    this.#context = context;
    this.#http = createHttpService(context);
    this.#bytes = new ByteDelivery(context);
    this.#certificates = new CertificateCache(link, now);
    this.#terminators = new TlsTerminators(
      limits.tlsHandshakeMs,
      (reason) => log.debug({ reason }, 'no handshake'),
      now,
    );
    const proxies = new CidrList(config.trustedProxies);
    this.#gates = {
      http: new Gate(limits, proxies),
      tls: new Gate(limits, proxies),
      tcp: new Gate(limits, proxies),
      agents: new Gate(limits, proxies),
    };
    this.#connections = new Connections({
      context,
      http: this.#http,
      bytes: this.#bytes,
      certificates: this.#certificates,
      terminators: this.#terminators,
      introduction: { trustedProxies: proxies, proxyProtocol: config.proxyProtocol },
      gates: this.#gates,
      acceptAgent: (socket, remoteAddr, remoteIp) => this.#agents.accept(socket, remoteAddr, remoteIp),
    });
    this.#tcpPorts = new TcpPorts(config.tcpHosts, (socket, port) => {
      this.#connections.tcp(socket, port);
    });
    const applier = new RouteApplier(routes, this.#tcpPorts, returning, log);
    this.port = {
      applyRoutes: (update) => applier.apply(update),
      agentCommand: (sessionId, command) => this.#agents.command(sessionId, command),
      stopTunnel: (sessionId, tunnelId, message, errorCode) =>
        this.#agents.stopTunnel(sessionId, { tunnelId, message, errorCode }),
      closeSession: (sessionId, reason) => this.#agents.closeSession(sessionId, reason),
      probeSession: (sessionId) => this.#agents.probe(sessionId),
    };
  }

  get addresses(): Edge['addresses'] {
    const { config } = this.#context;
    const { http, https, agents } = this.#listening;
    return { http: first(http, config.http), https: first(https, config.https), agents: first(agents, config.agents) };
  }

  async start(): Promise<void> {
    const { config, link } = this.#context;
    const { http, https, agents } = config;
    try {
      const greet = (socket: Socket): void => this.#connections.agents(socket);
      this.#listening.agents = await this.#listen('agents', agents, greet);
      // Bound before the routes are there, as control writes their ports into URLs; held until then.
      const visitHttp = this.#held((socket) => this.#connections.http(socket));
      this.#listening.http = await this.#listen('http', http, visitHttp);
      const visitTls = this.#held((socket) => this.#connections.tls(socket));
      this.#listening.https = await this.#listen('https', https, visitTls);
      await link.follow(this.port);
      this.#ready.resolve();
    } catch (error) {
      this.#ready.reject(error);
      this.#closeListeners();
      throw error;
    }
  }

  async #listen(
    name: 'http' | 'https' | 'agents',
    addresses: readonly ListenAddress[],
    onConnection: (socket: Socket) => void,
  ): Promise<Listening> {
    const opened = this.#opened[name] ?? null;
    if (opened === null) return listen(addresses, onConnection);
    opened.serve(onConnection);
    return opened;
  }

  stop(successor?: Promise<void>): Promise<void> {
    this.#stopping ??= this.#stop();
    void successor?.then(() => this.#agents.release());
    return this.#stopping;
  }

  reloadCertificates(): void {
    this.#certificates.clear();
    this.#terminators.clear();
  }

  stats(): EdgeStats {
    // Who reads numbers reads those of traffic with them.
    this.#traffic.flush();
    const { http, tls, tcp, agents } = this.#gates;
    return {
      agentSessions: this.#agents.sessionCount,
      agentStreams: this.#agents.streamCount,
      places: this.#agents.places,
      visitorConnections: http.open + tls.open + tcp.open,
      refusedConnections: http.refused + tls.refused + tcp.refused + agents.refused,
      endpoints: this.#context.routes.size,
      faults: this.#faults.count,
      policyWarnings: policyWarningCount(this.#context),
      buckets: { kept: this.#counters.size, forgotten: this.#counters.forgotten },
      lostEvents: this.#events.lost,
    };
  }

  /** Lets a visitor in as soon as there are routes; one that is there when the start fails is turned away. */
  #held(serve: (socket: Socket) => void): (socket: Socket) => void {
    return (socket) => {
      socket.on('error', ignore);
      void this.#ready.promise.then(
        () => serve(socket),
        () => socket.destroy(),
      );
    };
  }

  async #stop(): Promise<void> {
    const { wheel, config } = this.#context;
    // All at once, so that another server may have them; agents that are here stay for what is in flight.
    for (const listening of Object.values(this.#listening)) listening.close();
    this.#tcpPorts.close();
    wheel.schedule(FIRST_BYTE_MS, () => {
      // On a TCP port it may be the service that speaks first.
      for (const gate of [this.#gates.http, this.#gates.tls]) gate.partSilent(wheel);
    });
    const inFlight = Promise.all([this.#http.drain(), this.#bytes.drain()]);
    // Who was let in just before is served; whatever he then has in flight counts as well.
    const arrived = withDeadline(wheel, this.#connections.arrived(), ARRIVAL_MS, late).catch(ignore);
    const drained = inFlight.then(() => arrived).then(() => Promise.all([this.#http.drain(), this.#bytes.drain()]));
    await withDeadline(wheel, drained, config.limits.drainMs, late).catch(ignore);
    this.#http.destroy();
    this.#bytes.destroyAll();
    for (const gate of this.#visitorGates) gate.destroyAll();
    await this.#agents.close();
    this.#gates.agents.destroyAll();
    // What was cut tells so when its socket has closed.
    const over = Promise.all([this.#http.drain(), this.#bytes.drain()]);
    await withDeadline(wheel, over, CUT_MS, late).catch(ignore);
    this.#traffic.flush();
  }

  get #visitorGates(): readonly Gate[] {
    return [this.#gates.http, this.#gates.tls, this.#gates.tcp];
  }

  #closeListeners(): void {
    for (const listening of Object.values(this.#listening)) listening.close();
    this.#listening = {};
    this.#tcpPorts.close();
    for (const gate of Object.values(this.#gates)) gate.destroyAll();
  }
}

function late(): Error {
  return new Error('still in flight');
}

function first(listening: Listening | undefined, configured: readonly ListenAddress[]): ListenAddress {
  return listening?.addresses[0] ?? { host: configured[0]?.host ?? '', port: 0 };
}
