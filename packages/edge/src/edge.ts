/** The data plane, put together: see README.md for the way of one request through it. */
import type { Socket } from 'node:net';
import { CALLBACK_PATH, compilePolicy, type Addresses, type PolicyServices } from '@postern/policy';
import { AgentPlane } from './agents/agent-plane.ts';
import { ByteDelivery } from './connection/byte-delivery.ts';
import { CertificateCache } from './connection/certificates.ts';
import { Challenges } from './connection/challenges.ts';
import { CidrList } from './connection/cidr-list.ts';
import { Connections } from './connection/connections.ts';
import { type MovedVisitor, Visitor } from './connection/visitor.ts';
import { ignore } from './connection/pipe.ts';
import { TlsTerminators } from './connection/tls-terminators.ts';
import type { EdgeConfig, EdgeContext, HttpService, Log } from './context.ts';
import type { ControlLink, EdgePort, NodeSettings } from '@postern/link';
import { withDeadline } from './deadline.ts';
import { Faults } from './guard.ts';
import { CallTurns } from './http/policy/call-turns.ts';
import { HopMarks } from './http/exchange/hop-mark.ts';
import { BodyRoom } from './http/exchange/body-room.ts';
import { createHttpService } from './http/service.ts';
import { originOf } from './http/stages/other-scheme.ts';
import type { Listener } from './listeners/listener.ts';
import { type Accept, Listeners, type ListenerStats } from './listeners/listeners.ts';
import { TcpPorts } from './listeners/tcp-ports.ts';
import { Returning } from './routing/returning.ts';
import { RouteApplier } from './routing/route-applier.ts';
import { createRouteTable } from './routing/route-table.ts';
import { limitedLog } from './limited-log.ts';
import { createTimerWheel } from './timer-wheel.ts';
import { policyWarningCount } from './policy-warnings.ts';
import { BcryptThread } from './services/bcrypt.ts';
import { CircuitBreakers } from './services/breakers.ts';
import { SlidingCounters } from './services/counters.ts';
import { EventLog } from './services/event-log.ts';
import { PublishedKeys } from './services/keys.ts';
import { Outside } from './services/outside.ts';
import { IdentityProviders } from './services/providers.ts';
import { KnownResources } from './services/resources.ts';
import { SlicedWork } from './services/slices.ts';
import { loginsOfOne, VisitorSessions } from './services/sessions.ts';
import { type MoveChannel, Moves } from './moves/moves.ts';
import { NodeStreams, socketPath } from './streams/node-streams.ts';
import { PeerHost } from './streams/peer-host.ts';
import type { AskingShares } from './shares/asking.ts';
import { TrafficBatch } from './traffic-batch.ts';

/** When the server stops: what a connection gets to send its first byte, and to come to what serves it. */
const FIRST_BYTE_MS = 1_000;
const ARRIVAL_MS = 3_000;
/** Of log-ins, which come in crowds when people begin to work: requests to providers at once, in all and for an endpoint. */
const LOGINS_AT_ONCE = 64;
const LOGINS_OF_ONE = 24;
/** Calls of models, of which each takes a socket for minutes. */
const MODELS_AT_ONCE = 512;
const MODELS_OF_ONE = 128;
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
  /** What is known about addresses; null = nobody has named data. */
  readonly addresses?: Addresses | null;
  /** Open already; those of TCP endpoints open and close with their routes. */
  readonly listeners: readonly Listener[];
  /** The other edges of this node; absent = there are none. */
  readonly peers?: PeerSettings;
  /** Takes connections to them; absent = each stays where it came. */
  readonly moves?: MoveChannel;
  /** What this edge counts together with them; absent = it counts alone. */
  readonly shares?: AskingShares;
  /** Rules for actions that judge messages; absent = none. */
  readonly firewall?: PolicyServices['firewall'];
}

/** How the edges of a node find each other. */
export interface PeerSettings {
  /** Of this edge, as the others hear it with routes. */
  readonly name: string;
  /** Of their sockets: a folder that nobody else may enter. */
  readonly directory: string;
}

/** Numbers of this moment. */
export interface EdgeStats {
  readonly agentSessions: number;
  readonly agentStreams: number;
  /** Streams into agents whose wire another edge of the node has, since the start. */
  readonly crossedStreams: number;
  /** Visitors' connections that have gone on at another edge, since the start. */
  readonly movedConnections: number;
  /** Places (streams) of all agent sessions: used and free now, visitors that wait for one; since the start, refused
   * after waiting, and taken back from who could spare them. */
  readonly places: {
    readonly used: number;
    readonly free: number;
    readonly waiting: number;
    readonly refused: number;
    readonly reclaimed: number;
  };
  /** Connections of each listener: open now, and turned away by the limits. */
  readonly listeners: readonly ListenerStats[];
  readonly endpoints: number;
  /** Mistakes inside the edge since the start; each ended one connection, one request or one RPC. */
  readonly faults: number;
  /** Expressions of policies that failed since the start, so that their rule was passed over. */
  readonly policyWarnings: number;
  /** Buckets of `rate-limit`: kept now; since the start, those that had to go while they counted. */
  readonly buckets: { readonly kept: number; readonly forgotten: number };
  /** Events of policies that found no room since the start. */
  readonly lostEvents: number;
  /** What policies asked outside since the start; what was refused for where it led. */
  readonly outside: { readonly asked: number; readonly refused: number };
}

export interface Edge {
  readonly port: EdgePort;
  /** Lets agents in, follows the routes, and lets visitors in when the first snapshot is applied. Agents are answered then. */
  start(): Promise<void>;
  /**
   * Closes every listener at once, ends what is idle, finishes what is in flight until `limits.drainMs` is over, cuts
   * the rest, closes agents last.
   * @param successor resolves when another server takes agents: those without visitors are sent there from then on
   */
  stop(successor?: Promise<void>): Promise<void>;
  stats(): EdgeStats;
  /** Everybody's connection ends at once, and not as if it were in order: the process is about to end. */
  cut(): void;
  /** A connection from the edge of that name, of which nobody reads any more. */
  take(socket: Socket, visitor: MovedVisitor, from: string): void;
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
  readonly #connections: Connections;
  readonly #listeners: Listeners;
  readonly #traffic: TrafficBatch;
  readonly #faults: Faults;
  readonly #counters = new SlidingCounters(() => performance.now());
  readonly #events: EventLog;
  readonly #marks = new HopMarks();
  readonly #challenges = new Challenges();
  readonly #returning: Returning;
  #settings: NodeSettings | null = null;
  readonly #outside: Outside;
  readonly #providers: Outside;
  /** Calls of models, which take minutes. */
  readonly #models: Outside;
  readonly #sessions: VisitorSessions;
  readonly #bcrypt = new BcryptThread();
  readonly #peers: { readonly host: PeerHost; readonly streams: NodeStreams; readonly path: string } | null;
  readonly #ready = Promise.withResolvers<void>();
  #stopping: Promise<void> | null = null;

  constructor(options: EdgeOptions) {
    const { config, link, now, random } = options;
    const { limits } = config;
    const log = limitedLog(options.log, now);
    const faults = new Faults(log);
    this.#faults = faults;
    this.#events = new EventLog(log, () => performance.now());
    const allow = config.policyOutgoingAllow;
    this.#outside = new Outside({ allow });
    this.#providers = new Outside({ allow, atOnce: LOGINS_AT_ONCE, ofOne: LOGINS_OF_ONE });
    this.#models = new Outside({ allow, atOnce: MODELS_AT_ONCE, ofOne: MODELS_OF_ONE });
    this.#sessions = new VisitorSessions({
      now,
      sharedDomains: config.logins.sharedDomains,
      tell: (event) => link.login(event),
      shared: options.shares?.logins ?? loginsOfOne(() => performance.now()),
    });
    options.shares?.follow((id, until) => this.#sessions.ended(id, until));
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
        ports: () => this.#listeners.agentPorts,
      },
      webUrl: () => this.#settings?.webUrl ?? '',
      random,
      ready: this.#ready.promise,
      shared: options.shares?.agents ?? null,
    });
    const local = this.#agents.streams;
    this.#peers =
      options.peers === undefined
        ? null
        : {
            host: new PeerHost(local, faults),
            streams: new NodeStreams({ local, directory: options.peers.directory, faults }),
            path: socketPath(options.peers.directory, options.peers.name),
          };
    // A start that fails says so itself.
    this.#ready.promise.catch(() => {});
    const returning = new Returning(config.expected, now);
    this.#returning = returning;
    const resources = new KnownResources();
    const context: EdgeContext = {
      config,
      link,
      routes,
      returning,
      agents: this.#peers?.streams ?? local,
      moves: options.moves === undefined ? null : new Moves(options.moves, (socket) => this.#listeners.placeOf(socket)),
      marks: this.#marks,
      challenges: this.#challenges,
      bodies: new BodyRoom(),
      services: {
        addresses: options.addresses ?? null,
        bcrypt: this.#bcrypt,
        breakers: options.shares?.breakers ?? new CircuitBreakers(() => performance.now()),
        counters: options.shares?.counters ?? this.#counters,
        events: this.#events,
        firewall: options.firewall ?? null,
        keys: new PublishedKeys(options.shares?.keySets(this.#outside) ?? this.#outside, () => performance.now()),
        providers: new IdentityProviders({
          outside: this.#providers,
          now: () => performance.now(),
          callbackUrl: `${originOf('https', config.logins.host, config.publicHttpsPort)}${CALLBACK_PATH}`,
          settings: new Map(Object.entries(config.logins.providers)),
        }),
        resources,
        slices: new SlicedWork(),
        sessions: this.#sessions,
        outgoing: null,
        relays: this.#models,
      },
      callTurns: options.shares?.calls ?? new CallTurns(),
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
    this.#terminators = new TlsTerminators(limits.tlsHandshakeMs, (reason) => log.debug({ reason }, 'no handshake'));
    const proxies = new CidrList(config.trustedProxies);
    const tcpPorts = new TcpPorts(config.tcpHosts);
    const tcp: Listener = { name: 'tcp', serves: 'tcp', open: tcpPorts };
    this.#listeners = new Listeners([...options.listeners, tcp], limits, proxies, options.shares ?? null, log);
    this.#connections = new Connections({
      context,
      http: this.#http,
      bytes: this.#bytes,
      certificates: this.#certificates,
      terminators: this.#terminators,
      introduction: { trustedProxies: proxies, proxyProtocol: config.proxyProtocol },
      agentsApart: this.#listeners.agentsApart,
      acceptAgent: (socket, remoteAddr, remoteIp) => this.#agents.accept(socket, remoteAddr, remoteIp),
    });
    const applier = new RouteApplier(routes, tcpPorts, returning, log);
    this.port = {
      applySettings: (settings) => Promise.resolve(this.#apply(settings)),
      applyRoutes: (update) => applier.apply(update),
      applyResources: (update) => {
        this.#sessions.apply(update);
        return Promise.resolve(resources.apply(update));
      },
      agentCommand: (sessionId, command) => this.#agents.command(sessionId, command),
      stopTunnel: (sessionId, tunnelId, message, errorCode) =>
        this.#agents.stopTunnel(sessionId, { tunnelId, message, errorCode }),
      closeSession: (sessionId, reason) => this.#agents.closeSession(sessionId, reason),
      probeSession: (sessionId) => this.#agents.probe(sessionId),
    };
  }

  async start(): Promise<void> {
    const accept: Accept = (serves, gate, socket, port) => this.#connections.accept(serves, gate, socket, port);
    try {
      // Whoever hears of agents here may come for them.
      await this.#peers?.host.listen(this.#peers.path);
      this.#listeners.serve('before routes', accept);
      await this.#context.link.follow(this.port);
      if (this.#settings === null) throw new Error('control has not said what the edges of its node share');
      this.#listeners.serve('with routes', accept);
      this.#ready.resolve();
    } catch (error) {
      this.#ready.reject(error);
      this.#listeners.close();
      this.#listeners.destroy('visitors');
      this.#listeners.destroy('agents');
      throw error;
    }
  }

  stop(successor?: Promise<void>): Promise<void> {
    this.#stopping ??= this.#stop();
    void successor?.then(() => this.#agents.release());
    return this.#stopping;
  }

  #apply(settings: NodeSettings): void {
    const { certificates, challenges, expected, keys } = settings;
    this.#marks.signWith(keys.hopMarks);
    this.#terminators.sealTickets(keys.tickets);
    this.#challenges.set(challenges);
    this.#sessions.sealWith(keys.logins);
    this.#returning.expect(expected);
    // Connections that are open keep theirs.
    const changed = this.#settings === null ? [] : this.#certificates.forget(this.#settings.certificates, certificates);
    if (changed === null) this.#terminators.clear();
    else if (changed.length > 0) this.#terminators.forget(changed);
    this.#settings = settings;
  }

  stats(): EdgeStats {
    // Who reads numbers reads those of traffic with them.
    this.#traffic.flush();
    return {
      agentSessions: this.#agents.sessionCount,
      agentStreams: this.#agents.streamCount,
      crossedStreams: this.#peers?.streams.crossed ?? 0,
      movedConnections: this.#context.moves?.moved ?? 0,
      places: this.#agents.places,
      listeners: this.#listeners.stats(),
      endpoints: this.#context.routes.size,
      faults: this.#faults.count,
      policyWarnings: policyWarningCount(this.#context),
      buckets: { kept: this.#counters.size, forgotten: this.#counters.forgotten },
      lostEvents: this.#events.lost,
      outside: {
        asked: this.#outside.asked + this.#providers.asked,
        refused: this.#outside.refused + this.#providers.refused,
      },
    };
  }

  cut(): void {
    this.#listeners.reset();
  }

  take(socket: Socket, visitor: MovedVisitor, edge: string): void {
    const { listener, counted, client, server, startedAt, fromTrustedProxy } = visitor;
    if (this.#listeners.gateOf(listener)?.admitMoved(socket, { edge, id: counted }) !== true)
      return void socket.destroy();
    const { region } = this.#context.config;
    const conn = new Visitor(socket, { client, server, region, startedAt, fromTrustedProxy }, visitor);
    const { clientAddr } = conn;
    this.#http.serveMoved({ socket, scheme: 'http', conn, clientAddr, ruledBy: null, fromTrustedProxy });
  }

  async #stop(): Promise<void> {
    const { wheel, config } = this.#context;
    // All at once, so that another server may have them; agents that are here stay for what is in flight.
    this.#listeners.close();
    wheel.schedule(FIRST_BYTE_MS, () => this.#listeners.partSilent(wheel));
    const drain = (): Promise<unknown> =>
      Promise.all([this.#http.drain(), this.#bytes.drain(), this.#peers?.host.quiet()]);
    const inFlight = drain();
    // Who was let in just before is served; whatever he then has in flight counts as well.
    const arrived = withDeadline(wheel, this.#connections.arrived(), ARRIVAL_MS, late).catch(ignore);
    const drained = inFlight.then(() => arrived).then(drain);
    await withDeadline(wheel, drained, config.limits.drainMs, late).catch(ignore);
    this.#http.destroy();
    this.#bytes.destroyAll();
    this.#listeners.destroy('visitors');
    this.#peers?.streams.close();
    this.#peers?.host.close();
    await this.#agents.close();
    this.#bcrypt.close();
    this.#listeners.destroy('agents');
    // What was cut tells so when its socket has closed.
    const over = Promise.all([this.#http.drain(), this.#bytes.drain()]);
    await withDeadline(wheel, over, CUT_MS, late).catch(ignore);
    this.#traffic.flush();
  }
}

function late(): Error {
  return new Error('still in flight');
}
