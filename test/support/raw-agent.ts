/** An agent that says what a test tells it to, made of the protocol package's client side. */
import tls from 'node:tls';
import {
  type AuthRequest,
  callRpc,
  createMuxSession,
  decodeAuthResponse,
  echoHeartbeats,
  encodeAuth,
  type MuxSession,
  pumpMux,
  StreamType,
} from '@postern/protocol';
import { type Platform, splitAddress } from './platform.ts';

const LIMIT = 1_048_576;

/** What it needs of a platform. */
type AgentDoor = Pick<Platform, 'ca'> & { readonly runtime: Pick<Platform['runtime'], 'agent_addr'> };

export class RawAgent {
  readonly socket: tls.TLSSocket;
  readonly mux: MuxSession;
  /** Resolves when the server has ended the connection. */
  readonly ended: Promise<void>;

  private constructor(socket: tls.TLSSocket) {
    this.socket = socket;
    const over = Promise.withResolvers<void>();
    this.ended = over.promise;
    this.mux = createMuxSession(
      { role: 'client' },
      {
        onStream: (stream) => {
          if (stream.type === StreamType.heartbeat) echoHeartbeats(stream);
        },
        onOutput: () => pump.flush(),
        onEnd: () => over.resolve(),
      },
    );
    const pump = pumpMux(this.mux, { write: (buffer, done) => void socket.write(buffer, done) });
    socket.on('data', (chunk: Buffer) => this.mux.receive(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.mux.wireEnded('closed');
      over.resolve();
    });
  }

  static connect(platform: AgentDoor): Promise<RawAgent> {
    const [host, port] = splitAddress(platform.runtime.agent_addr);
    return new Promise((resolve, reject) => {
      const socket = tls.connect({ host, port, servername: 'localhost', ca: platform.ca }, () =>
        resolve(new RawAgent(socket)),
      );
      socket.once('error', reject);
    });
  }

  /** The error that the server answers to Auth; '' = let in. */
  async auth(change: Partial<AuthRequest>): Promise<string> {
    return decodeAuthResponse(await this.ask(StreamType.auth, encodeAuth({ ...AUTH, ...change }))).error ?? '';
  }

  /** One RPC of any type, with any bytes; rejects when there is no answer. */
  ask(type: number, request: Buffer): Promise<unknown> {
    return new Promise((resolve, reject) => {
      callRpc(this.mux, type, request, LIMIT, { onMessage: resolve, onFailure: reject });
    });
  }

  close(): void {
    this.socket.destroy();
  }
}

const AUTH: AuthRequest = {
  versions: ['3', '2'],
  clientId: '',
  authtoken: '',
  cookie: '',
  os: 'linux',
  arch: 'x64',
  agentVersion: '1.0.0',
  hostname: '',
  userAgent: 'raw-agent/1',
  metadata: '',
  heartbeatInterval: 10_000,
  heartbeatTolerance: 15_000,
  updateUnsupported: '',
  stopUnsupported: '',
  restartUnsupported: '',
  clientType: 'test',
  legNumber: 0,
  streams: 0,
};
