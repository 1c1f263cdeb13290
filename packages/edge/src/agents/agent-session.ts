/**
 * One connection of an agent, from its TLS handshake to its end: the mux over the socket, heartbeats from the first
 * byte on, one Auth in time, then RPCs and proxied streams. It ends once, whoever ends it, and control is told.
 */
import type { TLSSocket } from 'node:tls';
import { isPosternError } from '@postern/errors';
import {
  createMuxSession,
  echoHeartbeats,
  MuxErrorCode,
  pumpMux,
  StreamType,
  type AuthRequest,
  type MuxOptions,
  type MuxPump,
  type MuxSession,
  type MuxSessionHandler,
  type MuxStream,
  type MuxWire,
} from '@postern/protocol';
import { sayAndClose } from '../connection/plain-answers.ts';
import { isHttpStart } from '../connection/client-hello.ts';
import type { FaultReports, EdgeLimits, Log, TimerHandle, TimerWheel } from '../context.ts';
import type { AgentSessionAccepted, ControlLink } from '@postern/link';
import { Guard, streamFault } from '../guard.ts';
import { readIntoSlab } from '../connection/slab-reader.ts';
import { connectAddresses, type ConnectPoints } from './connect-addresses.ts';
import type { AuthDelays } from './auth-limiter.ts';
import { type BindTurns, Pace, type PaceLimits } from './pace.ts';
import { type RpcHost, RpcServer } from './rpc-server.ts';
import { type LifeOwner, SessionLife } from './session-life.ts';
import type { HeartbeatTimes } from './silence-watch.ts';
import { webVisitorAnswer } from './web-visitor.ts';

const AUTH_MS = 10_000;
const KEEP_ALIVE_MS = 30_000;
/** Heartbeats, RPCs: agents open few streams, and now and then many short ones. */
const INBOUND_STREAMS = 4_200;
/** Of somebody who has not said who it is. */
const ANONYMOUS_STREAMS = 32;
/** Bytes of somebody who has not said who it is: an Auth has about 1 KiB, a beat 12 bytes. */
const ANONYMOUS_BYTES = 262_144;
/** Questions of one session; binds are counted for the account (agent-plane.ts). */
const CALLS: PaceLimits = { burst: 2_000, perSecond: 500, waitMs: 10_000 };
/** Streams that carry bulk may have this much under way to us: fewer stalls for want of credit (docs/performance.md). */
const WINDOW = 1_048_576;
/** Between two looks whether streams that were reset have been let go. */
const SETTLE_MS = 1_000;
/** What official agents say of themselves whose mux keeps streams that were reset (agent-protocol.md, annex). */
const SLOW_TO_LET_GO = 'ngrok-rust';
/** Without an echo a stream that was reset is counted as gone after so many. */
const MOST_SETTLE_TRIES = 5;
/** For what is under way when a connection has used up its stream ids: a billion of them. */
const RETIRE_MS = 2_000;
const IDS_USED_UP = 'its stream ids are used up';

/** Spans are measured: the wall clock may jump. */
function monotonic(): number {
  return performance.now();
}

const MUX: MuxOptions = { role: 'server', maxInboundStreams: ANONYMOUS_STREAMS, window: WINDOW, now: monotonic };

/** The same for all sessions. */
export interface SessionOptions {
  readonly link: ControlLink;
  readonly wheel: TimerWheel;
  readonly log: Log;
  readonly faults: FaultReports;
  readonly limits: EdgeLimits;
  readonly region: string;
  /** Where else agents may dial. */
  readonly connect: ConnectPoints;
  /** Where web pages are, for those who look for them here. */
  readonly webUrl: () => string;
  readonly random: () => number;
  readonly limiter: AuthDelays;
  /** How fast an account's agents may bind. */
  readonly binds: BindTurns;
  /** Resolves when routes are loaded: nothing is answered before. */
  readonly ready: Promise<void>;
  readonly onAuthenticated: (session: AgentSession) => void;
  /** A stream of either side is over. */
  readonly onStreamOver: (session: AgentSession, stream: MuxStream) => void;
  readonly onUnbound: (session: AgentSession, tunnelId: string) => void;
  /** Once; also for connections that never authenticated. */
  readonly onEnded: (session: AgentSession, reason: string) => void;
}

/** Idle sessions are many: their parts tell each other by methods, since a closure for each would be a third of one. */
export class AgentSession implements MuxSessionHandler, MuxWire, RpcHost, LifeOwner {
  /** `ts_…`, '' before Auth. */
  id = '';
  ended = false;
  /** Streams at once that the agent says it bears; 0 = it does not say. */
  saysItBears = 0;
  readonly mux: MuxSession;
  /** "ip:port" of the agent. */
  readonly remoteAddr: string;
  readonly #socket: TLSSocket;
  readonly #remoteIp: string;
  readonly #options: SessionOptions;
  readonly #guard: Guard;
  readonly #pump: MuxPump;
  readonly #rpc: RpcServer;
  readonly #authTimer: TimerHandle;
  #life: SessionLife | null = null;
  readonly #calls = new Pace(CALLS, monotonic);
  #account = '';
  #started = false;
  #retiring = false;
  #settling = false;

  constructor(options: SessionOptions, socket: TLSSocket, remoteAddr: string, remoteIp: string) {
    this.#options = options;
    this.#socket = socket;
    this.remoteAddr = remoteAddr;
    this.#remoteIp = remoteIp;
    this.#guard = new Guard(options.faults, options.wheel, 'an agent session', () => {
      socket.destroy();
      this.end('a mistake inside the server');
    });
    this.mux = createMuxSession(MUX, this);
    this.#pump = pumpMux(this.mux, this);
    this.#rpc = new RpcServer(this, options, this.#guard);
    this.#authTimer = this.#guard.schedule(AUTH_MS, () => this.end('no Auth in time'));
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.on('end', () => this.#over('the agent closed the connection'));
    socket.on('error', (error) => this.#over(error.message));
    socket.on('close', () => this.#over('the connection closed'));
    readIntoSlab(socket, this.#onBytes);
    socket.resume();
  }

  /** Streams that carry visitors now. */
  get carries(): number {
    return this.mux.countOf(StreamType.proxy);
  }

  /** Whether the agent lives. */
  probe(): Promise<boolean> {
    return this.#life?.probe() ?? Promise.resolve(false);
  }

  /**
   * Ends the session. The TLS connection is simply closed: agents do not take a GOAWAY well (agent-protocol.md §0.7).
   * The first reason counts.
   */
  end(reason: string): void {
    if (this.ended) return;
    this.ended = true;
    this.#authTimer.cancel();
    this.#life?.stop();
    this.mux.destroy(MuxErrorCode.sessionClosed, reason);
    const { wheel } = this.#options;
    const socket = this.#socket;
    if (!socket.destroyed) {
      socket.end();
      wheel.schedule(1_000, () => socket.destroy());
      socket.once('finish', () => socket.destroy());
    }
    this.#options.onEnded(this, reason);
  }

  readonly #onBytes = (buffer: Buffer, length: number): void => {
    try {
      this.#receive(buffer, length);
    } catch (error) {
      this.#guard.fault(error);
    }
  };

  #receive(buffer: Buffer, length: number): void {
    if (this.ended) return;
    if (!this.#started) {
      this.#started = true;
      if (isHttpStart(buffer)) return this.#answerHttp(buffer.toString('latin1', 0, length));
    }
    this.mux.receive(buffer, 0, length);
    if (this.mux.leaving.unsettled > 0 && !this.#settling)
      this.#settleLeaving().catch((error: unknown) => this.#guard.fault(error));
    if (this.id === '' && this.mux.bytesReceived > ANONYMOUS_BYTES) return this.end('too much before Auth');
  }

  /**
   * The ids of this connection are used up: nothing can be opened any more. Who has a stream may finish for a moment;
   * then the connection ends and the agent makes a new one.
   */
  retire(): void {
    if (this.#retiring || this.ended) return;
    this.#retiring = true;
    this.#guard.schedule(RETIRE_MS, () => this.end(IDS_USED_UP));
    if (this.carries === 0) this.end(IDS_USED_UP);
  }

  /** Streams that were reset count until the agent has read that: what it answers behind it says so. */
  async #settleLeaving(): Promise<void> {
    const { wheel } = this.#options;
    const { leaving } = this.mux;
    this.#settling = true;
    for (let tries = 0; leaving.unsettled > 0 && !this.ended; tries++) {
      const mark = leaving.mark();
      const answered = (await this.#life?.answers()) === true;
      if (answered || tries >= MOST_SETTLE_TRIES) leaving.settle(mark);
      else await new Promise<void>((resolve) => wheel.schedule(SETTLE_MS, resolve));
    }
    this.#settling = false;
  }

  // What the mux tells, and asks of the wire.

  onStream(stream: MuxStream): void {
    try {
      this.#serve(stream);
    } catch (error) {
      stream.reset(MuxErrorCode.internal);
      this.onFault(error, stream);
    }
  }

  onStreamOver(stream: MuxStream): void {
    if (stream.type !== StreamType.proxy) this.#rpc.over(stream);
    this.#options.onStreamOver(this, stream);
    // Not inside the call that ended the stream, which may go on with it.
    if (this.#retiring && !this.ended && this.carries === 0) setImmediate(() => this.#over(IDS_USED_UP));
  }

  onOutput(): void {
    this.#pump.flushSoon();
  }

  onFault(error: unknown, stream: MuxStream): void {
    streamFault(this.#options.faults, error, stream, { session: this.id });
  }

  onEnd(_code: number, detail: string): void {
    // A violation leaves a GOAWAY to be sent; the connection closes right behind it.
    this.#pump.flush();
    this.end(detail);
  }

  write(buffer: Buffer, done: (error?: Error | null) => void): void {
    this.#socket.write(buffer, done);
  }

  fault(error: unknown): void {
    this.#guard.fault(error);
  }

  // What questions of the agent ask, and its life tells.

  connectAddresses(): readonly string[] {
    const { servername, localAddress, localPort } = this.#socket;
    const host = typeof servername === 'string' ? servername : (localAddress ?? '');
    return connectAddresses(this.#options.connect, { host, port: localPort ?? 0 });
  }

  turn(binds: boolean): number | null | Promise<number | null> {
    return binds ? this.#options.binds.take(this.#account) : this.#calls.take();
  }

  unbound(tunnelId: string): void {
    this.#options.onUnbound(this, tunnelId);
  }

  silent(ms: number): void {
    this.end(`silent for ${Math.round(ms / 1_000)} s`);
  }

  #serve(stream: MuxStream): void {
    if (stream.type === StreamType.heartbeat) echoHeartbeats(stream);
    else this.#rpc.accept(stream);
  }

  async authenticate(request: AuthRequest): Promise<AgentSessionAccepted> {
    this.#authTimer.cancel();
    const { limiter, link, wheel } = this.#options;
    const remoteIp = this.#remoteIp;
    await this.#options.ready;
    const delay = await limiter.delay(remoteIp);
    if (delay > 0) await new Promise<void>((resolve) => wheel.schedule(delay, resolve));
    let accepted: AgentSessionAccepted;
    try {
      accepted = await link.authenticate(request, this.remoteAddr);
    } catch (error) {
      // A mistake of ours is nobody's wrong token.
      if (isPosternError(error)) limiter.failed(remoteIp);
      // The agent may correct itself on this connection, but not stay for ever.
      this.#authTimer.refresh();
      throw error;
    }
    limiter.succeeded(remoteIp);
    this.id = accepted.sessionId;
    this.#account = accepted.accountId;
    this.saysItBears = request.streams;
    if (request.userAgent.includes(SLOW_TO_LET_GO)) this.mux.leaving.slow = true;
    this.mux.allowStreams(INBOUND_STREAMS);
    if (this.ended) {
      // The wire broke while control thought about it: the session exists there and has to end there.
      this.#options.onEnded(this, 'the agent left during Auth');
      return accepted;
    }
    this.#options.onAuthenticated(this);
    this.#live({ interval: request.heartbeatInterval, tolerance: request.heartbeatTolerance });
    return accepted;
  }

  #live(times: HeartbeatTimes): void {
    // Whoever was told of the session may have ended it.
    if (!this.ended) this.#life = new SessionLife(this, this.#options, this.#guard, times);
  }

  /** {@link end} where the runtime calls. */
  #over(reason: string): void {
    try {
      this.end(reason);
    } catch (error) {
      this.#guard.fault(error);
    }
  }

  #answerHttp(head: string): void {
    const { wheel, webUrl } = this.#options;
    this.ended = true;
    this.#authTimer.cancel();
    this.mux.destroy(MuxErrorCode.protocol, 'HTTP on the agent port');
    sayAndClose(this.#socket, webVisitorAnswer(head, webUrl()), wheel);
    this.#options.onEnded(this, 'HTTP on the agent port');
  }
}
