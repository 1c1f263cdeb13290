import tls from 'node:tls';
import * as protocol from '@postern/protocol';
import type { AuthRequest, BindRequest, MuxSession, MuxStream, MuxStreamHandler } from '@postern/protocol';
import { TEST_CERT, TEST_KEY } from './identity.ts';

const { StreamType } = protocol;

/** One agent as the little server sees it. */
export interface ServerSession {
  readonly mux: MuxSession;
  readonly socket: tls.TLSSocket;
  auth: AuthRequest | undefined;
  readonly binds: BindRequest[];
  readonly labels: protocol.LabelBindRequest[];
  readonly unbound: string[];
  goneAway: boolean;
}

/** What the little server answers; each can be replaced in a test. */
export interface ServerBehaviour {
  authError(request: AuthRequest): string;
  bindError(request: BindRequest): string;
  /** Runs when a bind was accepted, before its answer leaves. */
  onBound(session: ServerSession, id: string): void;
  echoHeartbeats: boolean;
  /** What it calls an agent that comes as this one; '' = for the first time. */
  clientId(given: string): string;
  /** TLS with an agent is up. */
  onSession(): void;
}

/** A server that speaks just enough of the protocol, made of the protocol package's server side. */
export class TestServer {
  readonly sessions: ServerSession[] = [];
  readonly behaviour: ServerBehaviour = {
    authError: () => '',
    bindError: () => '',
    onBound: () => {},
    echoHeartbeats: true,
    clientId: (given) => (given === '' ? 'client-1' : given),
    onSession: () => {},
  };
  readonly #server = tls.createServer({ cert: TEST_CERT, key: TEST_KEY }, (socket) => this.#accept(socket));
  #ids = 0;

  async listen(port = 0): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the server does not listen');
    return address.port;
  }

  get addr(): string {
    return `127.0.0.1:${this.port}`;
  }

  get newest(): ServerSession {
    const session = this.sessions.at(-1);
    if (session === undefined) throw new Error('no agent has connected');
    return session;
  }

  /** Cuts every connection. */
  cut(): void {
    for (const session of this.sessions) session.socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** A visitor's connection to the listener `id`, as the edge opens it. */
  visit(
    id: string,
    options: { first?: string; proto?: protocol.EndpointProto; passthrough?: boolean; clientAddr?: string } = {},
  ): Visitor {
    const header = protocol.encodeProxyHeader({
      id,
      clientAddr: options.clientAddr ?? '192.0.2.1:1234',
      proto: options.proto ?? 'https',
      edgeType: '0',
      passthroughTls: options.passthrough ?? false,
    });
    return new Visitor(this.newest.mux, Buffer.concat([header, Buffer.from(options.first ?? '')]));
  }

  /** Sends a command and resolves with the answer's Error text. */
  async command(type: number, request: Buffer): Promise<string> {
    return new Promise((resolve, reject) => {
      protocol.callRpc(this.newest.mux, type, request, 1000, {
        onMessage: (value) => resolve(protocol.decodeErrorResponse(value)),
        onFailure: reject,
      });
    });
  }

  #accept(socket: tls.TLSSocket): void {
    const mux = protocol.createMuxSession(
      { role: 'server' },
      {
        onStream: (stream) => this.#serve(session, stream),
        onOutput: () => pump.flush(),
        onEnd: (code) => {
          session.goneAway = code === protocol.MuxErrorCode.remoteGoneAway;
          socket.destroy();
        },
      },
    );
    const pump = protocol.pumpMux(mux, {
      write(buffer, done) {
        socket.write(buffer, done);
      },
    });
    const session: ServerSession = {
      mux,
      socket,
      auth: undefined,
      binds: [],
      labels: [],
      unbound: [],
      goneAway: false,
    };
    this.sessions.push(session);
    this.behaviour.onSession();
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => mux.receive(chunk));
    socket.on('error', () => {});
    socket.on('close', () => mux.wireEnded('closed'));
  }

  #serve(session: ServerSession, stream: MuxStream): void {
    if (stream.type === StreamType.heartbeat) {
      if (this.behaviour.echoHeartbeats) protocol.echoHeartbeats(stream);
      else stream.handler = new Visitor(undefined, Buffer.alloc(0));
      return;
    }
    protocol.acceptRpc(stream, 1_000_000, {
      onMessage: (value) => stream.end(this.#answer(session, stream.type, value)),
      onFailure: (error) => stream.end(protocol.encodeErrorResponse(error.message)),
    });
  }

  #answer(session: ServerSession, type: number, value: unknown): Buffer {
    switch (type) {
      case StreamType.auth: {
        session.auth = protocol.decodeAuth(value);
        const error = this.behaviour.authError(session.auth);
        const clientId = this.behaviour.clientId(session.auth.clientId);
        return protocol.encodeAuthResponse({ version: '3', clientId, cookie: 'cookie-1', region: 'test', error });
      }
      case StreamType.bind: {
        const bind = protocol.decodeBind(value);
        session.binds.push(bind);
        const error = this.behaviour.bindError(bind);
        if (error !== '') return protocol.encodeBindError(bind.proto, error);
        const id = bind.id === '' ? `ep_${++this.#ids}` : bind.id;
        this.behaviour.onBound(session, id);
        const url = bind.opts.url ?? `${bind.proto}://random.test`;
        return protocol.encodeBindResponse({ id, url, proto: bind.proto, opts: bind.rawOpts, token: `token-${id}` });
      }
      case StreamType.bindLabels:
        session.labels.push(protocol.decodeLabelBind(value));
        return protocol.encodeLabelBindResponse(`lb_${++this.#ids}`);
      case StreamType.unbind:
        session.unbound.push(protocol.decodeUnbind(value).id);
        return protocol.encodeUnbindResponse();
      default:
        return protocol.encodeErrorResponse(`unexpected type ${type}`);
    }
  }
}

/** The visitor's end of a proxied stream, collecting what comes. */
export class Visitor implements MuxStreamHandler {
  readonly chunks: Buffer[] = [];
  received = 0;
  ended = false;
  resetCode: number | undefined = undefined;
  /** While true, no credit is given back. */
  stalled = false;
  readonly #stream: MuxStream | undefined;
  #waiters: (() => void)[] = [];
  #drain: (() => void) | undefined = undefined;

  constructor(mux: MuxSession | undefined, first: Buffer) {
    this.#stream = mux?.open(StreamType.proxy, this, first);
  }

  get stream(): MuxStream {
    if (this.#stream === undefined) throw new Error('this visitor has no stream');
    return this.#stream;
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }

  /** Resolves when `condition` holds; checked whenever something arrives. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  async over(): Promise<void> {
    await this.until(() => this.ended || this.resetCode !== undefined);
  }

  /** Writes with the backpressure of the stream. */
  async write(chunk: Buffer): Promise<void> {
    if (this.stream.write(chunk)) return;
    await new Promise<void>((resolve) => {
      this.#drain = resolve;
    });
  }

  onData(chunk: Buffer): void {
    this.received += chunk.length;
    this.chunks.push(Buffer.from(chunk));
    if (!this.stalled) this.#stream?.consume(chunk.length);
    this.#wake();
  }

  onEnd(): void {
    this.ended = true;
    this.#wake();
  }

  onReset(code: number): void {
    this.resetCode = code;
    this.#drain?.();
    this.#wake();
  }

  onDrain(): void {
    this.#drain?.();
  }

  #wake(): void {
    for (const waiter of this.#waiters.splice(0)) waiter();
  }
}
