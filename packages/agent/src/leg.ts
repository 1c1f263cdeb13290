import { decodeAuthResponse, type MuxStream, StreamType } from '@postern/protocol';
import { AddressRound } from './address-round.ts';
import { AgentError } from './agent-error.ts';
import { authMessage, type Resume } from './auth-message.ts';
import { Backoff } from './backoff.ts';
import { Connection } from './connection.ts';
import type { AgentOptions, AgentStatus } from './options.ts';

/** Where another address is left to try, or a connection is there still, one that does not come up gets no more. */
const QUICK_TIMEOUT = 3000;

export type ServerFacts = NonNullable<AgentStatus['server']>;

export interface LegEvents {
  /** A stream of the server's other than heartbeats. Set its handler. */
  onStream(stream: MuxStream, connection: Connection): void;
  /** Authenticated; the connection before, if any, is gone. */
  onUp(leg: Leg, connection: Connection, server: ServerFacts): void;
  /** Not connected, again or still. */
  onDown(leg: Leg, error: AgentError, retryIn: number): void;
  /** No waiting changes it. Told only as long as the session was never up. */
  onFatal(error: AgentError): void;
  onLatency(leg: Leg, milliseconds: number): void;
}

/** What the legs of one session share. */
export interface LegWorld {
  readonly options: AgentOptions;
  readonly addresses: readonly string[];
  readonly random: () => number;
  /** What the server gave to come back with. */
  resume(): Resume;
  /** @throws AgentError when another leg is up that knows the server by another name */
  join(leg: Leg, address: string, resume: Resume): void;
  /** Addresses where other legs are, or dial. */
  taken(leg: Leg): ReadonlySet<string>;
  /** Whether the session was up before: then no answer of a server is the last word. */
  wasOnline(): boolean;
}

/**
 * One connection to the server that is kept: dialled, authenticated, dialled again after a loss. A session has one, or
 * several with numbers of their own, to different addresses where there are (agent-protocol.md §8).
 *
 * A connection whose server does not answer as soon as usual is doubted: another is dialled beside it, and takes its place
 * when its own heartbeat comes back first. So a path that is dead without a word costs a second or two, and one that is
 * only slow costs nothing.
 */
export class Leg {
  readonly number: number;
  latency: number | undefined = undefined;
  /** Where it is connected to, or was at last. */
  address = '';
  /** Where it dials. */
  #target = '';
  readonly #world: LegWorld;
  readonly #events: LegEvents;
  readonly #backoff: Backoff;
  readonly #round: AddressRound;
  /** Addresses of this round where something was wrong that no waiting changes. */
  #hopeless = 0;
  /** Up and authenticated. */
  #online: Connection | undefined = undefined;
  #dialling: Connection | undefined = undefined;
  #retry: NodeJS.Timeout | undefined = undefined;
  #doubted = false;
  #over = false;

  constructor(number: number, world: LegWorld, events: LegEvents) {
    this.number = number;
    this.#world = world;
    this.#events = events;
    this.#backoff = new Backoff(world.random);
    this.#round = new AddressRound(world.addresses, number);
  }

  get connection(): Connection | undefined {
    return this.#online;
  }

  /** Where nobody else is needed: '' while it waits. */
  get occupies(): string {
    if (this.#dialling !== undefined) return this.#target;
    return this.#online === undefined ? '' : this.address;
  }

  /** Dials now, unless it does already. */
  dial(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    if (!this.#over && this.#dialling === undefined) void this.#attempt();
  }

  /** Something may have happened to the connection: it is doubted, or what is waited for is tried now. */
  check(): void {
    if (this.#online !== undefined) {
      this.#online.check();
      this.#doubt(this.#online);
      return;
    }
    this.#backoff.reset();
    // An attempt from before the upset waits for a path that may be gone.
    this.#dialling?.destroy(new AgentError('dialled anew'));
    if (this.#dialling === undefined && this.#retry !== undefined) this.dial();
  }

  /** Twice a second; notices traffic that stopped. */
  tick(): void {
    this.#online?.tick();
  }

  /** Ends the connection and dials again. */
  drop(error: AgentError): void {
    const connection = this.#online;
    if (connection === undefined) return;
    connection.destroy(error);
    this.#lost(connection, error);
  }

  /** No more connections. @returns the one in use, which is the caller's to close */
  end(): Connection | undefined {
    const connection = this.#online;
    this.#over = true;
    this.#online = undefined;
    clearTimeout(this.#retry);
    this.#dialling?.destroy(new AgentError('closed'));
    return connection;
  }

  async #attempt(): Promise<void> {
    const { options } = this.#world;
    const address = this.#round.pick(this.#world.taken(this));
    this.#target = address;
    const connection = new Connection(options, address, {
      onStream: (stream, on) => this.#events.onStream(stream, on),
      onLost: (lost, error) => this.#lost(lost, error),
      onDoubt: (on) => this.#doubt(on),
      onLatency: (on, milliseconds) => this.#answered(on, milliseconds),
    });
    this.#dialling = connection;
    let heard = false;
    try {
      const isInDoubt = this.#online !== undefined;
      await connection.open(isInDoubt || this.#round.hasOther ? QUICK_TIMEOUT : undefined);
      if (this.#online !== undefined) await connection.answered();
      heard = true;
      const auth = decodeAuthResponse(
        await connection.ask(StreamType.auth, authMessage(options, this.#world.resume(), this.number)),
      );
      if (auth.error !== undefined) throw AgentError.fromText(auth.error);
      this.#world.join(this, address, { clientId: auth.clientId, cookie: auth.cookie ?? '' });
      this.#up(connection, address, {
        region: auth.region ?? '',
        accountName: auth.accountName ?? '',
        banner: auth.banner ?? '',
      });
    } catch (caught) {
      this.#failed(connection, AgentError.from(caught), heard);
    }
  }

  #up(connection: Connection, address: string, server: ServerFacts): void {
    this.#dialling = undefined;
    if (this.#over) return connection.destroy(new AgentError('closed'));
    const before = this.#online;
    this.#online = connection;
    this.address = address;
    this.#doubted = false;
    this.#hopeless = 0;
    this.#round.worked();
    this.#backoff.reset();
    if (before !== undefined) {
      const error = new AgentError('the server did not answer on this connection any more; another one took its place');
      before.destroy(error);
      this.#events.onDown(this, error, 0);
    }
    this.#events.onUp(this, connection, server);
  }

  #failed(connection: Connection, error: AgentError, heard: boolean): void {
    this.#dialling = undefined;
    connection.destroy(error);
    if (this.#over) return;
    // The connection that was doubted answers after all.
    if (this.#online !== undefined && !this.#doubted) return;
    if (error.fatal) this.#hopeless += 1;
    const roundOver = this.#round.failed();
    const hopeless = error.code !== '' || this.#hopeless >= this.#world.addresses.length;
    if (roundOver) this.#hopeless = 0;
    if (!this.#world.wasOnline() && error.fatal && hopeless) return this.#events.onFatal(error);
    this.#dialLater(error, roundOver ? this.#backoff.next(heard) : this.#backoff.quick());
  }

  #lost(connection: Connection, error: AgentError): void {
    if (this.#online !== connection) return;
    this.#online = undefined;
    this.#doubted = false;
    if (this.#over) return;
    // What was dialled beside it goes on in its place.
    if (this.#dialling === undefined && this.#retry === undefined) this.#dialLater(error, this.#backoff.next(false));
    else this.#events.onDown(this, error, 0);
  }

  #dialLater(error: AgentError, retryIn: number): void {
    this.#retry = setTimeout(() => this.dial(), retryIn);
    if (this.#online === undefined) this.#events.onDown(this, error, retryIn);
  }

  #doubt(connection: Connection): void {
    if (this.#online !== connection || this.#doubted) return;
    this.#doubted = true;
    if (this.#retry === undefined) this.dial();
  }

  #answered(connection: Connection, milliseconds: number): void {
    if (this.#online !== connection && this.#online !== undefined) return;
    this.latency = milliseconds;
    this.#events.onLatency(this, milliseconds);
    if (!this.#doubted) return;
    this.#doubted = false;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#dialling?.destroy(new AgentError('the connection before it answers again'));
  }
}
