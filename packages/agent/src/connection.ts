import type { TLSSocket } from 'node:tls';
import { callRpc, createMuxSession, echoHeartbeats, MuxErrorCode, pumpMux, StreamType } from '@postern/protocol';
import type { MuxPump, MuxSession, MuxStream } from '@postern/protocol';
import { AgentError } from './agent-error.ts';
import { streamsBorne } from './capacity.ts';
import { connectProblem } from './connect-problem.ts';
import { dialServer } from './dial-server.ts';
import { Heartbeats } from './heartbeats.ts';
import type { AgentOptions } from './options.ts';
import { dialProxy } from './proxy/dial-proxy.ts';
import { proxyFor } from './proxy/proxy-address.ts';
import { parseServerAddr } from './target.ts';
import { wayOut } from './way-out.ts';

/** More than a server answers with; certificates and policies come back in it. */
const ANSWER_BYTES = 4 * 1024 * 1024;
const ANSWER_TIMEOUT = 15_000;
const CONNECT_TIMEOUT = 10_000;
/** Half a second with no more than an answered heartbeat in it is a quiet one. */
const HEARTBEAT_BYTES = 64;
/** Streams that carry bulk may have this much under way (docs/performance.md). */
const WINDOW = 1_048_576;
/** Heartbeats and commands. */
const OTHER_STREAMS = 64;
/** How long the last bytes may take to leave. */
const CLOSE_TIMEOUT = 2000;

export interface ConnectionEvents {
  /** A stream of the server's other than heartbeats. Set its handler. */
  onStream(stream: MuxStream, connection: Connection): void;
  /** The connection was up and is gone, once. Not called when {@link Connection.open} rejects. */
  onLost(connection: Connection, error: AgentError): void;
  /** A heartbeat was answered. */
  onLatency(connection: Connection, milliseconds: number): void;
  /** A heartbeat is not answered as soon as usual. */
  onDoubt(connection: Connection): void;
}

/** One connection to the server: TLS, mux, heartbeats, and questions over it. */
export class Connection {
  readonly #options: AgentOptions;
  readonly #events: ConnectionEvents;
  readonly #address: string;
  readonly #mux: MuxSession;
  readonly #pump: MuxPump;
  readonly #heartbeats: Heartbeats;
  /** Ends what is dialled through a proxy. */
  readonly #abort = new AbortController();
  readonly #answered = Promise.withResolvers<void>();
  #socket: TLSSocket | undefined = undefined;
  #opened = false;
  #over: AgentError | undefined = undefined;
  #failOpening: ((error: AgentError) => void) | undefined = undefined;
  /** Read since the last tick, and whether that tick saw traffic. */
  #received = 0;
  #wasBusy = false;

  /** @param address of the server, `host:port` */
  constructor(options: AgentOptions, address: string, events: ConnectionEvents) {
    this.#options = options;
    this.#address = address;
    this.#events = events;
    this.#answered.promise.catch(() => undefined);
    this.#mux = createMuxSession(
      {
        role: 'client',
        window: WINDOW,
        maxInboundStreams: streamsBorne() + OTHER_STREAMS,
        now: () => performance.now(),
      },
      {
        onStream: (stream) => {
          if (stream.type === StreamType.heartbeat) echoHeartbeats(stream);
          else this.#events.onStream(stream, this);
        },
        onOutput: () => this.#pump.flushSoon(),
        onEnd: (_code, detail) => this.#end(new AgentError(`the connection to the server is over: ${detail}`)),
      },
    );
    this.#pump = pumpMux(this.#mux, { write: (buffer, done) => void this.#socket?.write(buffer, done) });
    this.#heartbeats = new Heartbeats(this.#mux, options, {
      onLatency: (milliseconds) => {
        this.#answered.resolve();
        events.onLatency(this, milliseconds);
      },
      onDoubt: () => events.onDoubt(this),
      onSilence: (reason) => this.#end(new AgentError(reason)),
    });
  }

  get over(): boolean {
    return this.#over !== undefined;
  }

  /**
   * Resolves when TLS is up; rejects when it does not come up in time.
   * @param most milliseconds at most, where there is less time than usual
   */
  async open(most = Infinity): Promise<void> {
    const timeout = Math.min(most, this.#options.connectTimeout ?? CONNECT_TIMEOUT);
    const deadline = setTimeout(
      () => this.#end(new AgentError(`${this.#address} did not answer within ${timeout / 1000} s`)),
      timeout,
    );
    try {
      await new Promise<void>((resolve, reject) => {
        this.#failOpening = reject;
        this.#dial(resolve).catch((error: unknown) => this.#end(AgentError.from(error)));
        if (this.#over !== undefined) reject(this.#over);
      });
    } finally {
      clearTimeout(deadline);
      this.#failOpening = undefined;
    }
    this.#opened = true;
    this.#heartbeats.beat();
  }

  /** Resolves when the server has answered a heartbeat on this connection; rejects when it ends before. */
  answered(): Promise<void> {
    return this.#answered.promise;
  }

  /** Asks the server whether it is there, unless that is asked already. */
  check(): void {
    if (this.#opened) this.#heartbeats.beat();
  }

  /** Twice a second: where bytes came and come no more, the server is asked whether it is there. */
  tick(): void {
    const isBusy = this.#received > HEARTBEAT_BYTES;
    if (this.#wasBusy && !isBusy) this.check();
    this.#wasBusy = isBusy;
    this.#received = 0;
  }

  /** Asks the server one question; rejects when the answer does not come, or the connection ends before. */
  async ask(type: number, request: Buffer): Promise<unknown> {
    if (this.#over !== undefined) throw this.#over;
    let deadline: NodeJS.Timeout | undefined;
    try {
      return await new Promise((resolve, reject) => {
        const stream = callRpc(this.#mux, type, request, ANSWER_BYTES, {
          onMessage: resolve,
          onFailure: (error) =>
            reject(this.#over ?? new AgentError(`the server's answer cannot be read: ${error.message}`)),
        });
        deadline = setTimeout(() => {
          stream.reset(MuxErrorCode.streamCancelled);
          reject(new AgentError(`the server did not answer within ${ANSWER_TIMEOUT / 1000} s`));
        }, ANSWER_TIMEOUT);
      });
    } finally {
      clearTimeout(deadline);
    }
  }

  /** Says goodbye, lets the last bytes leave, and closes. `onLost` is not called. */
  async close(): Promise<void> {
    if (this.#over !== undefined || this.#socket === undefined) return;
    this.#opened = false;
    const socket = this.#socket;
    const closed = new Promise((resolve) => socket?.once('close', resolve));
    const deadline = setTimeout(() => socket?.destroy(), CLOSE_TIMEOUT);
    this.#mux.goAway(MuxErrorCode.none, '');
    this.#pump.whenDry(() => socket?.end());
    await closed;
    clearTimeout(deadline);
    this.#end(new AgentError('closed'));
  }

  /** Ends it here and now. */
  destroy(error: AgentError): void {
    this.#opened = false;
    this.#end(error);
  }

  async #dial(onSecure: () => void): Promise<void> {
    const proxy = proxyFor(this.#options.proxy, this.#address);
    const way = wayOut(this.#options);
    const { host, port } = parseServerAddr(this.#address);
    const through = proxy && (await dialProxy(proxy, way, host, port, this.#abort.signal));
    if (this.#over !== undefined) return void through?.destroy();
    const socket = dialServer(this.#options, this.#address, through ?? way, (buffer, length) => {
      this.#received += length;
      this.#mux.receive(buffer, 0, length);
    });
    this.#socket = socket;
    const place = { ...this.#options, serverAddr: this.#address };
    socket.once('secureConnect', onSecure);
    socket.on('error', (error) => this.#end(connectProblem(error, place)));
    socket.on('end', () => this.#mux.wireEnded('the server closed it'));
    socket.on('close', () => this.#mux.wireEnded('it was closed'));
  }

  #end(error: AgentError): void {
    if (this.#over !== undefined) return;
    this.#over = error;
    this.#heartbeats.stop();
    this.#mux.destroy(MuxErrorCode.sessionClosed, error.message);
    this.#abort.abort();
    this.#socket?.destroy();
    this.#answered.reject(error);
    const fail = this.#failOpening;
    this.#failOpening = undefined;
    fail?.(error);
    if (this.#opened) this.#events.onLost(this, error);
  }
}
