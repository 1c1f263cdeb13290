/** Accepts agents and answers control about them: everything between the TLS handshake and the EdgePort. */
import type { TLSSocket } from 'node:tls';
import type { FaultReports, EdgeLimits, Log, TimerWheel } from '../context.ts';
import type { AgentCommand, ControlLink } from '@postern/link';
import { fail } from '@postern/errors';
import { LocalStreams, type PlaceTotals } from '../streams/local-streams.ts';
import { AgentSession, type SessionOptions } from './agent-session.ts';
import type { ConnectPoints } from './connect-addresses.ts';
import { type AuthDelays, AuthLimiter } from './auth-limiter.ts';
import { BindPaces, type BindTurns } from './pace.ts';
import { sendCommand, sendStopTunnel, type StopNotice } from './commands.ts';

/** Longer than an acceptance takes from control to here. */
const CLOSED_EARLY_MS = 30_000;
/** How often sessions are looked at that still carry visitors when the next server is there. */
const RELEASE_EVERY_MS = 100;

export interface AgentPlaneOptions {
  readonly link: ControlLink;
  readonly wheel: TimerWheel;
  readonly log: Log;
  readonly faults: FaultReports;
  readonly limits: EdgeLimits;
  readonly region: string;
  readonly connect: ConnectPoints;
  /** Where web pages are, for those who look for them at the agents' address. */
  readonly webUrl: () => string;
  readonly random: () => number;
  readonly ready: Promise<void>;
  /** What edges of a node count together; null = there are no others. */
  readonly shared: AgentLimits | null;
}

export interface AgentLimits {
  readonly auths: AuthDelays;
  readonly binds: BindTurns;
}

/** Where there is no other edge. @param now milliseconds of a clock that is never set back */
function limitsOfOne(now: () => number): AgentLimits {
  return { auths: new AuthLimiter(now), binds: new BindPaces(now) };
}

export class AgentPlane {
  readonly #options: AgentPlaneOptions;
  readonly #streams: LocalStreams;
  /** Those that are authenticated, by id. */
  readonly #sessions = new Map<string, AgentSession>();
  readonly #sessionOptions: SessionOptions;
  /** Every connection, authenticated or not. */
  readonly #open = new Set<AgentSession>();
  /** Sessions that control ended before they were entered here: revoked in the moment of their acceptance. */
  readonly #closedEarly = new Map<string, string>();
  /** Ends that control has not confirmed yet. */
  readonly #farewells = new Set<Promise<void>>();

  constructor(options: AgentPlaneOptions) {
    this.#options = options;
    const { wheel, limits } = options;
    this.#streams = new LocalStreams({
      wheel,
      streamsPerSession: limits.streamsPerSession,
      mostStreamsPerSession: limits.mostStreamsPerSession,
      queueMs: limits.queueMs,
      faults: options.faults,
    });
    const { auths, binds } = options.shared ?? limitsOfOne(() => performance.now());
    this.#sessionOptions = {
      ...options,
      limiter: auths,
      binds,
      onAuthenticated: (session) => this.#authenticated(session),
      onStreamOver: (session, stream) => this.#streams.streamOver(session, stream),
      onUnbound: (session, tunnelId) => this.#streams.unbound(session, tunnelId),
      onEnded: (session, reason) => this.#ended(session, reason),
    };
  }

  get streams(): LocalStreams {
    return this.#streams;
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  /** Streams open, of any kind. */
  get streamCount(): number {
    return [...this.#sessions.values()].reduce((sum, { mux }) => sum + mux.streamCount, 0);
  }

  get places(): PlaceTotals {
    return this.#streams.totals();
  }

  accept(socket: TLSSocket, remoteAddr: string, remoteIp: string): void {
    if (socket.destroyed) return;
    this.#open.add(new AgentSession(this.#sessionOptions, socket, remoteAddr, remoteIp));
  }

  async command(sessionId: string, command: AgentCommand): Promise<string> {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) throw fail(90052, { id: sessionId });
    return sendCommand(session, command, this.#options.wheel);
  }

  stopTunnel(sessionId: string, notice: StopNotice): void {
    const session = this.#sessions.get(sessionId);
    if (session !== undefined) sendStopTunnel(session, notice, this.#options.wheel);
  }

  closeSession(sessionId: string, reason: string): void {
    const session = this.#sessions.get(sessionId);
    if (session !== undefined) return session.end(reason);
    this.#closedEarly.set(sessionId, reason);
    this.#options.wheel.schedule(CLOSED_EARLY_MS, () => this.#closedEarly.delete(sessionId));
  }

  async probe(sessionId: string): Promise<boolean> {
    return (await this.#sessions.get(sessionId)?.probe()) ?? false;
  }

  /**
   * Ends each session as soon as it carries no visitor: its agent finds the next server at once, and the others when
   * what is in flight is finished.
   */
  release(): void {
    for (const session of this.#open) if (session.carries === 0) session.end('the next server has taken over');
    if (this.#open.size > 0) this.#options.wheel.schedule(RELEASE_EVERY_MS, () => this.release());
  }

  /** Ends every session and waits until control knows. */
  async close(): Promise<void> {
    for (const session of this.#open) session.end('the server is stopping');
    await Promise.all(this.#farewells);
  }

  #authenticated(session: AgentSession): void {
    const closed = this.#closedEarly.get(session.id);
    if (closed !== undefined) return session.end(closed);
    this.#sessions.set(session.id, session);
    this.#streams.add(session);
    this.#options.log.info({ session: session.id, remote: session.remoteAddr }, 'agent connected');
  }

  #ended(session: AgentSession, reason: string): void {
    this.#open.delete(session);
    if (session.id === '') return;
    if (this.#sessions.get(session.id) === session) this.#sessions.delete(session.id);
    this.#streams.remove(session);
    const { link, log } = this.#options;
    log.info({ session: session.id, reason }, 'agent disconnected');
    const farewell = link.sessionEnded(session.id, reason).catch((error: unknown) => {
      log.error({ session: session.id, reason: String(error) }, 'the end of a session could not be recorded');
    });
    this.#farewells.add(farewell);
    void farewell.then(() => this.#farewells.delete(farewell));
  }
}
