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
  type MuxPump,
  type MuxSession,
  type MuxStream,
} from '@postern/protocol';
import { sayAndClose } from '../connection/plain-answers.ts';
import { isHttpStart } from '../connection/client-hello.ts';
import type { FaultReports, EdgeLimits, Log, TimerHandle, TimerWheel } from '../context.ts';
import type { AgentSessionAccepted, ControlLink } from '@postern/link';
import { withDeadline } from '../deadline.ts';
import { Guard, streamFault } from '../guard.ts';
import { readIntoSlab } from '../connection/slab-reader.ts';
import { connectAddresses, type ConnectPoints } from './connect-addresses.ts';
import type { AuthDelays } from './auth-limiter.ts';
import { type BindTurns, Pace, type PaceLimits } from './pace.ts';
import { RpcServer } from './rpc-server.ts';
import { SessionHeartbeat } from './session-heartbeat.ts';
import { SilenceWatch } from './silence-watch.ts';
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
const PROBE_MS = 1_000;
const PROBE_LOOK_MS = 200;
/** What official agents say of themselves whose mux keeps streams that were reset (agent-protocol.md, annex). */
const SLOW_TO_LET_GO = 'ngrok-rust';
/** Without an echo a stream that was reset is counted as gone after so many. */
const MOST_SETTLE_TRIES = 5;
/** For what is under way when a connection has used up its stream ids: a billion of them. */
const RETIRE_MS = 2_000;
const IDS_USED_UP = 'its stream ids are used up';

function noEcho(): Error {
  return new Error('no echo in time');
}

/** Heartbeats measure spans: the wall clock may jump. */
function monotonic(): number {
  return performance.now();
}

export interface SessionOptions {
  readonly socket: TLSSocket;
  /** "ip:port" of the agent. */
  readonly remoteAddr: string;
  readonly remoteIp: string;
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
  /** Unix milliseconds. */
  readonly now: () => number;
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

export class AgentSession {
  /** `ts_…`, '' before Auth. */
  id = '';
  ended = false;
  /** Streams at once that the agent says it bears; 0 = it does not say. */
  saysItBears = 0;
  readonly mux: MuxSession;
  readonly #options: SessionOptions;
  readonly #guard: Guard;
  readonly #pump: MuxPump;
  readonly #rpc: RpcServer;
  readonly #authTimer: TimerHandle;
  #heartbeat: SessionHeartbeat | null = null;
  #watch: SilenceWatch | null = null;
  readonly #calls: Pace;
  #account = '';
  #started = false;
  #retiring = false;
  #settling = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#calls = new Pace(CALLS, monotonic);
    const { socket, link, limits, region, faults } = options;
    this.#guard = new Guard(faults, options.wheel, 'an agent session', () => {
      socket.destroy();
      this.end('a mistake inside the server');
    });
    const wheel = this.#guard;
    this.mux = createMuxSession(
      { role: 'server', maxInboundStreams: ANONYMOUS_STREAMS, window: WINDOW, now: monotonic },
      {
        onStream: (stream) => this.#accept(stream),
        onStreamOver: (stream) => this.#streamOver(stream),
        onOutput: () => this.#pump.flushSoon(),
        onFault: (error, stream) => streamFault(faults, error, stream, { session: this.id }),
        onEnd: (_code, detail) => this.#muxEnded(detail),
      },
    );
    this.#pump = pumpMux(this.mux, { write: (buffer, done) => void socket.write(buffer, done) }, (callback) =>
      this.#guard.wrap(callback),
    );
    this.#rpc = new RpcServer({
      link,
      wheel,
      faults,
      region,
      connectAddresses: connectAddresses(options.connect, {
        host: typeof socket.servername === 'string' ? socket.servername : (socket.localAddress ?? ''),
        port: socket.localPort ?? 0,
      }),
      rpcBytes: limits.rpcBytes,
      authenticate: (request) => this.#authenticate(request),
      sessionId: () => this.id,
      turn: (binds) => (binds ? options.binds.take(this.#account) : this.#calls.take()),
      onUnbound: (tunnelId) => options.onUnbound(this, tunnelId),
      end: (reason) => this.end(reason),
    });
    this.#authTimer = wheel.schedule(AUTH_MS, () => this.end('no Auth in time'));
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    const on = (event: string, reason: (error?: Error) => string): void =>
      void socket.on(
        event,
        this.#guard.wrap((error?: Error) => this.end(reason(error))),
      );
    on('end', () => 'the agent closed the connection');
    on('error', (error) => error?.message ?? '');
    on('close', () => 'the connection closed');
    readIntoSlab(socket, this.#onBytes);
    socket.resume();
  }

  /** Streams that carry visitors now. */
  get carries(): number {
    return this.mux.countOf(StreamType.proxy);
  }

  /**
   * Whether the agent lives: true as soon as it answers a beat or sends anything, false once it has been silent for
   * longer than a busy one ever is. A healthy agent answers at once; who asks waits for one that was killed behind a
   * wire that says nothing, instead of being told that it lives.
   */
  async probe(): Promise<boolean> {
    const heard = this.mux.bytesReceived;
    if (await this.#echo()) return true;
    for (;;) {
      if (this.#watch === null || this.ended) return false;
      if (this.mux.bytesReceived !== heard) return true;
      if (this.#watch.suspicious) return false;
      // Each look comes behind the one before it.
      // oxlint-disable-next-line no-await-in-loop
      await new Promise<void>((resolve) => this.#options.wheel.schedule(PROBE_LOOK_MS, resolve));
    }
  }

  /**
   * Ends the session. The TLS connection is simply closed: agents do not take a GOAWAY well (agent-protocol.md §0.7).
   * The first reason counts.
   */
  end(reason: string): void {
    if (this.ended) return;
    this.ended = true;
    this.#authTimer.cancel();
    this.#watch?.stop();
    this.mux.destroy(MuxErrorCode.sessionClosed, reason);
    const { socket, wheel } = this.#options;
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
      // The first echo may be that of a beat before.
      const answered = (await this.#echo()) && (await this.#echo());
      if (answered || tries >= MOST_SETTLE_TRIES) leaving.settle(mark);
      else await new Promise<void>((resolve) => wheel.schedule(PROBE_MS, resolve));
    }
    this.#settling = false;
  }

  #echo(): Promise<boolean> {
    const { wheel } = this.#options;
    if (this.#heartbeat === null || this.ended) return Promise.resolve(false);
    return withDeadline(wheel, this.#heartbeat.probe(), PROBE_MS, noEcho).catch(() => false);
  }

  #streamOver(stream: MuxStream): void {
    if (stream.type !== StreamType.proxy) this.#rpc.over(stream);
    this.#options.onStreamOver(this, stream);
    // Not inside the call that ended the stream, which may go on with it.
    if (this.#retiring && !this.ended && this.carries === 0)
      setImmediate(this.#guard.wrap(() => this.end(IDS_USED_UP)));
  }

  #accept(stream: MuxStream): void {
    try {
      this.#serve(stream);
    } catch (error) {
      stream.reset(MuxErrorCode.internal);
      streamFault(this.#options.faults, error, stream, { session: this.id });
    }
  }

  #serve(stream: MuxStream): void {
    if (stream.type === StreamType.heartbeat) echoHeartbeats(stream);
    else this.#rpc.accept(stream);
  }

  async #authenticate(request: AuthRequest): Promise<AgentSessionAccepted> {
    this.#authTimer.cancel();
    const { limiter, remoteIp, remoteAddr, link, wheel } = this.#options;
    await this.#options.ready;
    const delay = await limiter.delay(remoteIp);
    if (delay > 0) await new Promise<void>((resolve) => wheel.schedule(delay, resolve));
    let accepted: AgentSessionAccepted;
    try {
      accepted = await link.authenticate(request, remoteAddr);
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
    if (!this.#over()) this.#startHeartbeat(request);
    return accepted;
  }

  /** Whoever was told of the session may have ended it. */
  #over(): boolean {
    return this.ended;
  }

  #startHeartbeat(request: AuthRequest): void {
    const { random, log, limits } = this.#options;
    const heartbeat = new SessionHeartbeat(this.mux, {
      now: monotonic,
      random,
      onBroken: (reason) => log.debug({ session: this.id, reason }, 'agent does not echo heartbeats'),
    });
    this.#heartbeat = heartbeat;
    this.#watch = new SilenceWatch({
      wheel: this.#guard,
      now: monotonic,
      times: { interval: request.heartbeatInterval, tolerance: request.heartbeatTolerance },
      suspectMs: limits.suspectMs,
      bytesReceived: () => this.mux.bytesReceived,
      unanswered: () => this.mux.unanswered,
      beat: () => {
        heartbeat.beat();
        this.mux.leaving.expire(limits.idleMs);
      },
      onSilent: (ms) => this.end(`silent for ${Math.round(ms / 1_000)} s`),
    });
  }

  #muxEnded(detail: string): void {
    // A violation leaves a GOAWAY to be sent; the connection closes right behind it.
    this.#pump.flush();
    this.end(detail);
  }

  #answerHttp(head: string): void {
    const { socket, wheel, webUrl } = this.#options;
    this.ended = true;
    this.#authTimer.cancel();
    this.mux.destroy(MuxErrorCode.protocol, 'HTTP on the agent port');
    sayAndClose(socket, webVisitorAnswer(head, webUrl()), wheel);
    this.#options.onEnded(this, 'HTTP on the agent port');
  }
}
