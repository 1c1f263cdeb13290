import { X509Certificate } from 'node:crypto';
import { decodeAuthResponse, StreamType } from '@postern/protocol';
import { AgentError } from './agent-error.ts';
import { authMessage } from './auth-message.ts';
import { Backoff } from './backoff.ts';
import { acceptCommand } from './commands.ts';
import { Connection } from './connection.ts';
import { Circles } from './forward/circles.ts';
import { Forwarding } from './forward/forwarding.ts';
import { AgentListener } from './listener.ts';
import type { AgentOptions, AgentSession, AgentState, AgentStatus, Listener, ListenOptions } from './options.ts';
import { parseServerAddr, parseUpstream } from './target.ts';

const CLOSE_DEADLINE = 5000;
/** What the server is given at least to take listeners off before the connection closes, which does it too. */
const UNBIND_DEADLINE = 1000;

/**
 * Connects an agent and keeps it connected until it is closed, refused for good at first (its Auth, or the certificate of
 * the server), or stopped by the server (agent-protocol.md §8, §9). Returns at once; see {@link AgentSession.online}.
 * @throws AgentError when the address or `ca` cannot be used at all
 */
export function connectAgent(options: AgentOptions): AgentSession {
  parseServerAddr(options.serverAddr);
  checkAuthority(options.ca, 'ca');
  const session = new Session(options);
  session.start();
  return session;
}

class Session implements AgentSession {
  state: AgentState = 'connecting';
  latency: number | undefined = undefined;
  readonly closed: Promise<AgentError | undefined>;
  readonly #options: AgentOptions;
  readonly #random: () => number;
  readonly #backoff: Backoff;
  readonly #listeners = new Set<AgentListener>();
  readonly #forwarding: Forwarding;
  /** What the server gave to come back with. */
  #resume = { clientId: '', cookie: '' };
  #wasOnline = false;
  /** Up and authenticated. */
  #online: Connection | undefined = undefined;
  #dialling: Connection | undefined = undefined;
  #retry: NodeJS.Timeout | undefined = undefined;
  #waiting: { resolve: (connection: Connection) => void; reject: (error: AgentError) => void }[] = [];
  #resolveClosed: (error: AgentError | undefined) => void = () => {};

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#backoff = new Backoff(this.#random);
    const circles = new Circles(options.now ?? (() => performance.now()), (port) => this.#hasPort(port));
    this.#forwarding = new Forwarding(options.log, circles, (id) => this.#listenerOf(id)?.options);
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  get listeners(): readonly Listener[] {
    return [...this.#listeners].filter((listener) => listener.id !== '');
  }

  start(): void {
    this.#status({ state: 'connecting' });
    void this.#attempt();
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
    const connection = this.#online;
    this.#setClosed(undefined);
    if (connection === undefined || connection.over) return;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener.finish(undefined);
    await within(
      Math.max(deadline, UNBIND_DEADLINE),
      listeners.map((listener) => listener.unbind(connection)),
    );
    await this.#forwarding.idle(deadline);
    this.#forwarding.destroy();
    await connection.close();
  }

  /** The connection in use, or the next one. */
  async #connection(): Promise<Connection> {
    if (this.#online !== undefined) return this.#online;
    if (this.state === 'closed') throw new AgentError('the session is closed');
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  async #attempt(): Promise<void> {
    const connection = new Connection(this.#options, {
      onStream: (stream, on) => {
        if (stream.type === StreamType.proxy) this.#forwarding.accept(stream, on.slab);
        else acceptCommand(stream, this);
      },
      onLost: (lost, error) => this.#lost(lost, error),
      onLatency: (milliseconds) => {
        this.latency = milliseconds;
        this.#options.onLatency?.(milliseconds);
      },
    });
    this.#dialling = connection;
    try {
      await connection.open();
      const answer = await connection.ask(StreamType.auth, authMessage(this.#options, this.#resume));
      const auth = decodeAuthResponse(answer);
      if (auth.error !== undefined) throw AgentError.fromText(auth.error);
      this.#resume = { clientId: auth.clientId, cookie: auth.cookie ?? '' };
      this.#dialling = undefined;
      if (this.#isClosed()) return connection.destroy(new AgentError('closed'));
      this.#up(connection, {
        region: auth.region ?? '',
        accountName: auth.accountName ?? '',
        banner: auth.banner ?? '',
      });
    } catch (caught) {
      const error = AgentError.from(caught);
      this.#dialling = undefined;
      connection.destroy(error);
      if (this.#isClosed()) return;
      if (!this.#wasOnline && error.fatal) this.#setClosed(error);
      else this.#retryLater(error);
    }
  }

  #up(connection: Connection, server: NonNullable<AgentStatus['server']>): void {
    this.#online = connection;
    this.#wasOnline = true;
    this.#backoff.reset();
    for (const listener of this.#listeners) if (listener.id !== '') void this.#rebind(listener, connection);
    this.#status({ state: 'online', server });
    for (const { resolve } of this.#waiting.splice(0)) resolve(connection);
  }

  /** Gives a listener back to the server after a reconnect, until it is taken or the connection is gone again. */
  async #rebind(listener: AgentListener, connection: Connection): Promise<void> {
    const backoff = new Backoff(this.#random);
    while (!connection.over && !listener.over && this.#listeners.has(listener)) {
      try {
        await this.#forwarding.duringBind(() => listener.bind(connection));
        return;
      } catch (error) {
        if (connection.over) return;
        const wait = backoff.next();
        this.#options.log?.warn(
          { url: listener.url, error: AgentError.from(error).message, wait },
          'bind again failed',
        );
        await new Promise((resolve) => setTimeout(resolve, wait).unref());
      }
    }
  }

  #lost(connection: Connection, error: AgentError): void {
    if (this.#online !== connection) return;
    this.#online = undefined;
    if (!this.#isClosed()) this.#retryLater(error);
  }

  #retryLater(error: AgentError): void {
    const retryIn = this.#backoff.next();
    this.#status({ state: this.#wasOnline ? 'reconnecting' : 'connecting', error, retryIn });
    this.#options.log?.info({ error: error.message, code: error.code, retryIn }, 'not connected');
    this.#retry = setTimeout(() => void this.#attempt(), retryIn);
  }

  async #unbind(listener: AgentListener): Promise<void> {
    this.#listeners.delete(listener);
    const connection = this.#online;
    if (connection !== undefined && !connection.over) await listener.unbind(connection);
  }

  #listenerOf(id: string): AgentListener | undefined {
    for (const listener of this.#listeners) if (listener.id === id) return listener;
    return undefined;
  }

  #hasPort(port: number): boolean {
    for (const listener of this.#listeners) if (listener.port === port) return true;
    return false;
  }

  // What the server commands.

  stop(): void {
    if (this.#options.managed === false) return undefined;
    if (this.#options.onStop !== undefined) return this.#options.onStop();
    const connection = this.#online;
    this.#setClosed(new AgentError('the server asked this agent to stop'));
    void connection?.close();
  }

  restart(): void {
    if (this.#options.onRestart !== undefined) return this.#options.onRestart();
    const connection = this.#online;
    if (connection === undefined) return;
    connection.destroy(new AgentError('the server asked this agent to connect again'));
    this.#lost(connection, new AgentError('the server asked this agent to connect again'));
  }

  stopListener(id: string, error: AgentError): void {
    const listener = this.#listenerOf(id);
    if (listener === undefined) return;
    this.#listeners.delete(listener);
    listener.finish(error);
  }

  #isClosed(): boolean {
    return this.state === 'closed';
  }

  #setClosed(error: AgentError | undefined): void {
    clearTimeout(this.#retry);
    this.#online = undefined;
    this.#dialling?.destroy(new AgentError('closed'));
    this.#status(error === undefined ? { state: 'closed' } : { state: 'closed', error });
    const reason = error ?? new AgentError('the session is closed');
    for (const { reject } of this.#waiting.splice(0)) reject(reason);
    if (error !== undefined) for (const listener of this.#listeners) listener.finish(error);
    this.#resolveClosed(error);
  }

  #status(status: AgentStatus): void {
    this.state = status.state;
    this.#options.onStatus?.(status);
  }
}

/** A PEM text that is none would fail inside a callback later; it is refused where it is given. */
function checkAuthority(pem: string | undefined, name: string): void {
  if (pem === undefined) return;
  // Files of authorities often have a line of words before each certificate.
  const certificates = pem.split(/(?=-----BEGIN CERTIFICATE-----)/).filter((part) => part.startsWith('-----BEGIN'));
  try {
    if (certificates.length === 0) throw new Error('there is no certificate in it');
    for (const certificate of certificates) void new X509Certificate(certificate);
  } catch (cause) {
    throw new AgentError(`"${name}" is not a list of PEM certificates.`, { cause });
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
