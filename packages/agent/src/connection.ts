import type { TLSSocket } from 'node:tls';
import { callRpc, createMuxSession, echoHeartbeats, MuxErrorCode, pumpMux, StreamType } from '@postern/protocol';
import type { MuxPump, MuxSession, MuxStream } from '@postern/protocol';
import { AgentError } from './agent-error.ts';
import { streamsBorne } from './capacity.ts';
import { connectProblem } from './connect-problem.ts';
import { dialServer } from './dial-server.ts';
import { Heartbeats } from './heartbeats.ts';
import type { AgentOptions } from './options.ts';
import { ReadSlab } from './read-slab.ts';

/** More than a server answers with; certificates and policies come back in it. */
const ANSWER_BYTES = 4 * 1024 * 1024;
const ANSWER_TIMEOUT = 15_000;
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
  onLatency(milliseconds: number): void;
}

/** One connection to the server: TLS, mux, heartbeats, and questions over it. */
export class Connection {
  readonly slab = new ReadSlab();
  readonly #options: AgentOptions;
  readonly #events: ConnectionEvents;
  readonly #socket: TLSSocket;
  readonly #mux: MuxSession;
  readonly #pump: MuxPump;
  readonly #heartbeats: Heartbeats;
  #opened = false;
  #over: AgentError | undefined = undefined;
  #failOpening: ((error: AgentError) => void) | undefined = undefined;

  constructor(options: AgentOptions, events: ConnectionEvents) {
    this.#options = options;
    this.#events = events;
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
        onOutput: () => this.#pump.flush(),
        onEnd: (_code, detail) => this.#end(new AgentError(`the connection to the server is over: ${detail}`)),
      },
    );
    this.#socket = dialServer(options, this.slab, (chunk) => this.#mux.receive(chunk));
    this.#pump = pumpMux(this.#mux, { write: (buffer, done) => void this.#socket.write(buffer, done) });
    this.#heartbeats = new Heartbeats(
      this.#mux,
      options,
      (ms) => events.onLatency(ms),
      (reason) => this.#end(new AgentError(reason)),
    );
    this.#socket.on('error', (error) => this.#end(connectProblem(error, options)));
    this.#socket.on('end', () => this.#mux.wireEnded('the server closed it'));
    this.#socket.on('close', () => this.#mux.wireEnded('it was closed'));
  }

  get over(): boolean {
    return this.#over !== undefined;
  }

  /** Resolves when TLS is up; rejects when it does not come up in time. */
  async open(): Promise<void> {
    const timeout = this.#options.connectTimeout ?? 10_000;
    const deadline = setTimeout(
      () => this.#end(new AgentError(`${this.#options.serverAddr} did not answer within ${timeout / 1000} s`)),
      timeout,
    );
    try {
      await new Promise<void>((resolve, reject) => {
        this.#failOpening = reject;
        this.#socket.once('secureConnect', () => resolve());
        if (this.#over !== undefined) reject(this.#over);
      });
    } finally {
      clearTimeout(deadline);
      this.#failOpening = undefined;
    }
    this.#opened = true;
    this.#heartbeats.start();
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
    if (this.#over !== undefined) return;
    this.#opened = false;
    const closed = new Promise((resolve) => this.#socket.once('close', resolve));
    const deadline = setTimeout(() => this.#socket.destroy(), CLOSE_TIMEOUT);
    this.#mux.goAway(MuxErrorCode.none, '');
    this.#pump.whenDry(() => this.#socket.end());
    await closed;
    clearTimeout(deadline);
    this.#end(new AgentError('closed'));
  }

  /** Ends it here and now. */
  destroy(error: AgentError): void {
    this.#opened = false;
    this.#end(error);
  }

  #end(error: AgentError): void {
    if (this.#over !== undefined) return;
    this.#over = error;
    this.#heartbeats.stop();
    this.#mux.destroy(MuxErrorCode.sessionClosed, error.message);
    this.#socket.destroy();
    const fail = this.#failOpening;
    this.#failOpening = undefined;
    fail?.(error);
    if (this.#opened) this.#events.onLost(this, error);
  }
}
