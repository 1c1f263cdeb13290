/** An agent at the level of the protocol: TLS, mux as client, RPCs, and whatever a test wants to do with streams. */
import { connect, type Socket } from 'node:net';
import { connect as tlsConnect, type TLSSocket } from 'node:tls';
import {
  callRpc,
  createMuxSession,
  decodeAuthResponse,
  decodeBindResponse,
  echoHeartbeats,
  encodeAuth,
  encodeBind,
  ProxyHeaderReader,
  pumpMux,
  StreamType,
  type AuthRequest,
  type AuthResponse,
  type BindResponse,
  type MuxPump,
  type MuxSession,
  type MuxStream,
  type MuxStreamHandler,
  type ProxyHeader,
} from '@postern/protocol';

export const IDLE: MuxStreamHandler = { onData() {}, onEnd() {}, onReset() {}, onDrain() {} };

const AUTH: AuthRequest = {
  versions: ['3', '2'],
  clientId: '',
  authtoken: 'good',
  cookie: '',
  os: 'linux',
  arch: 'amd64',
  agentVersion: '1.0.0',
  hostname: '',
  userAgent: 'fake/1.0',
  metadata: '',
  heartbeatInterval: 10_000,
  heartbeatTolerance: 15_000,
  updateUnsupported: '',
  stopUnsupported: '',
  restartUnsupported: '',
  clientType: 'fake',
  legNumber: 0,
  streams: 0,
};

/** What a test does with a proxied stream, once its header is read; `rest` is what came with it. */
export type StreamTaker = (stream: MuxStream, header: ProxyHeader, rest: Buffer) => MuxStreamHandler;

export class FakeAgent {
  readonly socket: TLSSocket;
  readonly mux: MuxSession;
  readonly headers: ProxyHeader[] = [];
  /** Commands of the server's, by stream type; sets the handler. */
  readonly commands = new Map<number, (stream: MuxStream) => MuxStreamHandler>();
  readonly closed: Promise<void>;
  /** Called when it has answered a beat of the server's. */
  onBeat: () => void = () => {};
  readonly #pump: MuxPump;
  #take: StreamTaker = (stream) => {
    stream.end();
    return IDLE;
  };

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    this.mux = createMuxSession(
      { role: 'client' },
      { onStream: (stream) => this.#accept(stream), onOutput: () => this.#pump.flush(), onEnd: () => {} },
    );
    this.#pump = pumpMux(this.mux, { write: (buffer, done) => void socket.write(buffer, done) });
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.mux.receive(chunk));
    socket.on('error', () => {});
    socket.on('end', () => this.mux.wireEnded('end'));
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.mux.wireEnded('closed');
        resolve();
      });
    });
  }

  static async dial(port: number, ca: string, serverName: string | null): Promise<FakeAgent> {
    const options = serverName === null ? { checkServerIdentity: () => undefined } : { servername: serverName };
    const socket = tlsConnect({ host: '127.0.0.1', port, ca, ...options });
    const agent = new FakeAgent(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('closed in the handshake')));
    });
    return agent;
  }

  onStream(take: StreamTaker): void {
    this.#take = take;
  }

  async auth(change: Partial<AuthRequest> = {}): Promise<AuthResponse> {
    return decodeAuthResponse(await this.call(StreamType.auth, encodeAuth({ ...AUTH, ...change })));
  }

  async bind(url: string, opts: Record<string, unknown> = {}, id = ''): Promise<BindResponse> {
    const request = encodeBind({
      id,
      proto: url.slice(0, url.indexOf(':')),
      forwardsTo: 'localhost:1',
      forwardsProto: '',
      opts: { URL: url, ...opts },
      token: '',
      metadata: '',
      bindings: [],
      poolingEnabled: false,
      name: '',
      description: '',
    });
    return decodeBindResponse(await this.call(StreamType.bind, request));
  }

  call(type: number, request: Buffer): Promise<unknown> {
    return new Promise((resolve, reject) => {
      callRpc(this.mux, type, request, 1_000_000, { onMessage: resolve, onFailure: reject });
    });
  }

  /** As a stopped process: reads nothing and answers nothing, its socket stays open. */
  freeze(): void {
    this.socket.pause();
    this.socket.removeAllListeners('data');
  }

  /** Goes on as if nothing had been. */
  thaw(): void {
    this.socket.on('data', (chunk) => this.mux.receive(chunk));
    this.socket.resume();
  }

  close(): void {
    this.socket.destroy();
  }

  #accept(stream: MuxStream): void {
    if (stream.type === StreamType.heartbeat) return echoHeartbeats(stream, () => this.onBeat());
    const command = this.commands.get(stream.type);
    if (command !== undefined) stream.handler = command(stream);
    else if (stream.type === StreamType.proxy) this.#acceptProxy(stream);
  }

  #acceptProxy(stream: MuxStream): void {
    const reader = new ProxyHeaderReader();
    stream.handler = {
      ...IDLE,
      onData: (chunk) => {
        stream.consume(chunk.length);
        const used = reader.push(chunk);
        if (used < 0 || reader.header === undefined) return;
        this.headers.push(reader.header);
        stream.handler = this.#take(stream, reader.header, Buffer.from(chunk.subarray(used)));
      },
    };
  }
}

/** Sends everything back, and FIN for FIN. */
export const echo: StreamTaker = (stream, _header, rest) => {
  if (rest.length > 0) stream.write(rest);
  return {
    onData: (chunk) => {
      stream.write(Buffer.from(chunk));
      stream.consume(chunk.length);
    },
    onEnd: () => stream.end(),
    onReset() {},
    onDrain() {},
  };
};

/** Pipes a stream to a port of this machine, as byte-piping agents do. */
export function pipeTo(port: number): StreamTaker {
  return (stream, _header, rest) => {
    const socket: Socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    if (rest.length > 0) socket.write(rest);
    socket.on('data', (chunk) => {
      if (!stream.write(chunk)) socket.pause();
    });
    socket.on('end', () => stream.end());
    socket.on('error', () => stream.end());
    return {
      onData: (chunk) => {
        const { length } = chunk;
        socket.write(Buffer.from(chunk), () => stream.consume(length));
      },
      onEnd: () => socket.end(),
      onReset: () => socket.destroy(),
      onDrain: () => socket.resume(),
    };
  };
}
