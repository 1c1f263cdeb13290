import { isIP } from 'node:net';
import { StreamType } from '@postern/protocol';
import { AgentError } from './agent-error.ts';
import { Alertness } from './alertness.ts';
import type { Resume } from './auth-message.ts';
import { checkAuthority } from './authority.ts';
import { Backoff } from './backoff.ts';
import { acceptCommand, type CommandTarget } from './commands.ts';
import type { Connection } from './connection.ts';
import { Circles } from './forward/circles.ts';
import { Forwarding } from './forward/forwarding.ts';
import { Leg, type LegEvents, type LegWorld, type ServerFacts } from './leg.ts';
import { AgentListener } from './listener.ts';
import type {
  AgentOptions,
  AgentSession,
  AgentState,
  AgentStatus,
  LegState,
  Listener,
  ListenOptions,
} from './options.ts';
import { proxyFor } from './proxy/proxy-address.ts';
import { parseServerAddr, parseUpstream } from './target.ts';

const CLOSE_DEADLINE = 5000;
/** What the server is given at least to take listeners off before the connection closes, which does it too. */
const UNBIND_DEADLINE = 1000;

/** More connections of one agent than this help nobody. */
const MOST_SESSIONS = 4;

/**
 * Connects an agent and keeps it connected until it is closed, refused for good at first (its Auth, or the certificate of
 * the server), or stopped by the server (agent-protocol.md §8, §9). Returns at once; see {@link AgentSession.online}.
 * @throws AgentError when an address, the proxy or `ca` cannot be used at all
 */
export function connectAgent(options: AgentOptions): AgentSession {
  const addresses = typeof options.serverAddr === 'string' ? [options.serverAddr] : options.serverAddr;
  if (addresses.length === 0) throw new AgentError('There is no address of a server.');
  for (const address of addresses) {
    parseServerAddr(address);
    proxyFor(options.proxy, address);
  }
  for (const resolver of options.resolvers ?? [])
    if (isIP(resolver) === 0) throw new AgentError(`"resolvers" are IP addresses, which "${resolver}" is not.`);
  const { sessions = 1 } = options;
  if (!Number.isInteger(sessions) || sessions < 1 || sessions > MOST_SESSIONS)
    throw new AgentError(`"sessions" is a number from 1 to ${MOST_SESSIONS}.`);
  checkAuthority(options.ca, 'ca');
  const session = new Session(options, addresses, sessions);
  session.start();
  return session;
}

class Session implements AgentSession {
  state: AgentState = 'connecting';
  readonly closed: Promise<AgentError | undefined>;
  readonly #options: AgentOptions;
  readonly #random: () => number;
  readonly #listeners = new Set<AgentListener>();
  readonly #forwarding: Forwarding;
  readonly #legs: readonly Leg[];
  readonly #alertness: Alertness;
  #resume: Resume = { clientId: '', cookie: '' };
  #wasOnline = false;
  #waiting: { resolve: (connection: Connection) => void; reject: (error: AgentError) => void }[] = [];
  #resolveClosed: (error: AgentError | undefined) => void = () => {};

  constructor(options: AgentOptions, addresses: readonly string[], sessions: number) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    const circles = new Circles(options.now ?? (() => performance.now()), (port) => this.#hasPort(port));
    this.#forwarding = new Forwarding(options.log, circles, (id) => this.#listenerOf(id)?.options);
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    const world = this.#world(addresses);
    const events: LegEvents = {
      onStream: (stream, on) => {
        if (stream.type === StreamType.proxy) this.#forwarding.accept(stream);
        else acceptCommand(stream, this.#commandsOn(on));
      },
      onUp: (leg, connection, server) => this.#up(leg, connection, server),
      onDown: (leg, error, retryIn) => this.#down(leg, error, retryIn),
      onFatal: (error) => this.#setClosed(error),
      onLatency: (leg, milliseconds) => {
        if (leg === this.#first) options.onLatency?.(milliseconds);
      },
    };
    this.#legs = Array.from({ length: sessions }, (_, number) => new Leg(number, world, events));
    this.#alertness = new Alertness(
      (reason) => this.#check(reason),
      () => {
        for (const leg of this.#legs) leg.tick();
      },
    );
  }

  get latency(): number | undefined {
    return this.#first?.latency;
  }

  get legs(): readonly LegState[] {
    return this.#legs.map(({ address, connection, latency }) => ({
      address,
      online: connection !== undefined,
      latency,
    }));
  }

  get listeners(): readonly Listener[] {
    return [...this.#listeners].filter((listener) => listener.id !== '');
  }

  start(): void {
    this.#status({ state: 'connecting' });
    this.#alertness.start();
    // The others come back with what the server calls this agent.
    this.#legs[0]?.dial();
  }

  async online(): Promise<void> {
    await this.#connection();
  }

  async listen(options: ListenOptions): Promise<Listener> {
    if (typeof options.upstream === 'string') parseUpstream(options.upstream);
    checkAuthority(options.upstreamCa, 'upstreamCa');
    const listener = new AgentListener(options, (closing) => this.#unbind(closing));
    for (;;) {
      const connection = await this.#connection();
      this.#listeners.add(listener);
      try {
        await this.#forwarding.duringBind(() => listener.bind(connection));
        for (const other of this.#connections()) void this.#rebind(listener, other);
        return listener;
      } catch (error) {
        this.#listeners.delete(listener);
        // A lost connection is no answer: ask again on the next one.
        if (!connection.over) throw AgentError.from(error);
      }
    }
  }

  async close(deadline = CLOSE_DEADLINE): Promise<void> {
    if (this.state === 'closed') return;
    const connections = this.#setClosed(undefined);
    if (connections.length === 0) return;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener.finish(undefined);
    await within(
      Math.max(deadline, UNBIND_DEADLINE),
      connections.flatMap((connection) =>
        listeners.filter((listener) => listener.isOn(connection)).map((listener) => listener.unbind(connection)),
      ),
    );
    await this.#forwarding.idle(deadline);
    this.#forwarding.destroy();
    await Promise.all(connections.map((connection) => connection.close()));
  }

  #world(addresses: readonly string[]): LegWorld {
    return {
      options: this.#options,
      addresses,
      random: this.#random,
      resume: () => this.#resume,
      wasOnline: () => this.#wasOnline,
      taken: (leg) => this.#taken(leg),
      join: (leg, address, resume) => {
        const others = this.#legs.filter((other) => other !== leg && other.connection !== undefined);
        if (others.length > 0 && resume.clientId !== this.#resume.clientId)
          throw new AgentError(`${address} is another server than the one of the session that is up`);
        this.#resume = resume;
      },
    };
  }

  #taken(leg: Leg): ReadonlySet<string> {
    return new Set(this.#legs.flatMap((other) => (other === leg || other.occupies === '' ? [] : [other.occupies])));
  }

  get #first(): Leg | undefined {
    return this.#legs.find(({ connection }) => connection !== undefined) ?? this.#legs[0];
  }

  #connections(): Connection[] {
    return this.#legs.flatMap(({ connection }) => (connection === undefined ? [] : [connection]));
  }

  /** A connection in use, or the next one. */
  async #connection(): Promise<Connection> {
    const [connection] = this.#connections();
    if (connection !== undefined) return connection;
    if (this.state === 'closed') throw new AgentError('the session is closed');
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  #up(leg: Leg, connection: Connection, server: ServerFacts): void {
    const isFirstTime = !this.#wasOnline;
    this.#wasOnline = true;
    for (const listener of this.#listeners) void this.#rebind(listener, connection);
    if (this.#legs.length > 1) this.#options.log?.info({ leg: leg.number, address: leg.address }, 'connected');
    if (this.state !== 'online') this.#status({ state: 'online', server });
    for (const { resolve } of this.#waiting.splice(0)) resolve(connection);
    if (isFirstTime) for (const other of this.#legs) if (other !== leg) other.dial();
  }

  #down(leg: Leg, error: AgentError, retryIn: number): void {
    this.#options.log?.info({ error: error.message, code: error.code, retryIn, leg: leg.number }, 'not connected');
    if (this.#connections().length > 0) return;
    this.#status({ state: this.#wasOnline ? 'reconnecting' : 'connecting', error, retryIn });
  }

  #check(reason: string): void {
    this.#options.log?.info({ reason }, 'checking the connection to the server');
    if (!this.#wasOnline) return this.#legs[0]?.check();
    for (const leg of this.#legs) leg.check();
  }

  /** Gives a listener that has its Id to another connection, until it is taken or the connection is gone again. */
  async #rebind(listener: AgentListener, connection: Connection): Promise<void> {
    if (listener.id === '' || listener.isOn(connection)) return;
    // An edge takes each Bind for a listener of its own.
    const isElsewhere = this.#connections().some((other) => other !== connection && listener.isOn(other));
    if (listener.options.labels !== undefined && isElsewhere) return;
    const backoff = new Backoff(this.#random);
    while (!connection.over && !listener.over && this.#listeners.has(listener)) {
      try {
        await this.#forwarding.duringBind(() => listener.bind(connection));
        return;
      } catch (error) {
        if (connection.over) return;
        const wait = backoff.next(true);
        this.#options.log?.warn(
          { url: listener.url, error: AgentError.from(error).message, wait },
          'bind again failed',
        );
        await new Promise((resolve) => setTimeout(resolve, wait).unref());
      }
    }
  }

  async #unbind(listener: AgentListener): Promise<void> {
    this.#listeners.delete(listener);
    const connections = this.#connections().filter((connection) => listener.isOn(connection));
    await Promise.all(connections.map((connection) => listener.unbind(connection)));
  }

  #listenerOf(id: string): AgentListener | undefined {
    for (const listener of this.#listeners) if (listener.id === id) return listener;
    return undefined;
  }

  #hasPort(port: number): boolean {
    for (const listener of this.#listeners) if (listener.port === port) return true;
    return false;
  }

  /** What the server may command on a connection. */
  #commandsOn(connection: Connection): CommandTarget {
    return {
      stop: () => this.#stop(),
      restart: () => this.#restart(),
      stopListener: (id, error) => this.#stopListener(id, error, connection),
    };
  }

  #stop(): void {
    if (this.#options.managed === false) return undefined;
    if (this.#options.onStop !== undefined) return this.#options.onStop();
    for (const connection of this.#setClosed(new AgentError('the server asked this agent to stop')))
      void connection.close();
  }

  #restart(): void {
    if (this.#options.onRestart !== undefined) return this.#options.onRestart();
    for (const leg of this.#legs) leg.drop(new AgentError('the server asked this agent to connect again'));
  }

  #stopListener(id: string, error: AgentError, stoppedOn: Connection): void {
    const listener = this.#listenerOf(id);
    if (listener === undefined) return;
    listener.finish(error);
    listener.left(stoppedOn);
    this.#unbind(listener).catch(() => undefined);
  }

  /** @returns the connections that were in use, which are the caller's to close */
  #setClosed(error: AgentError | undefined): readonly Connection[] {
    this.#alertness.stop();
    const connections = this.#legs.flatMap((leg) => leg.end() ?? []);
    this.#status(error === undefined ? { state: 'closed' } : { state: 'closed', error });
    const reason = error ?? new AgentError('the session is closed');
    for (const { reject } of this.#waiting.splice(0)) reject(reason);
    if (error !== undefined) for (const listener of this.#listeners) listener.finish(error);
    this.#resolveClosed(error);
    return connections;
  }

  #status(status: AgentStatus): void {
    this.state = status.state;
    this.#options.onStatus?.(status);
  }
}

/** Waits until all have come to an end, one way or the other, or the time is up. */
async function within(milliseconds: number, promises: readonly Promise<unknown>[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([Promise.allSettled(promises), timeUp]);
  clearTimeout(timer);
}
