/**
 * An HTTP service between real sockets for tests: visitors reach it over TCP, agents are sessions of an in-memory mux
 * pair whose other end dials real servers, as a byte-piping agent does.
 */
import { randomBytes } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { fail } from '@postern/errors';
import type { CompiledPolicy, ConnView, Keys } from '@postern/policy';
import { createMuxSession, type MuxSession, type MuxStream, type MuxStreamHandler } from '@postern/protocol';
import type {
  EdgeConfig,
  EdgeContext,
  EdgeLimits,
  HttpService,
  LiveEndpoint,
  Log,
  VisitorConnection,
} from '../context.ts';
import type { AgentStreams, GoneListener, StreamPurpose } from '../streams/agent-streams.ts';
import type { AgentUpstream, RouteEndpoint, TrafficEvent } from '@postern/link';
import { Returning } from '../routing/returning.ts';
import { createRouteTable } from '../routing/route-table.ts';
import { LIMITS, NO_PROVIDERS, PLAIN_CONFIG, POLICY_CONTEXT, SILENT_LOG } from './fixtures.ts';
import { createTimerWheel } from '../timer-wheel.ts';
import { Faults, streamFault } from '../guard.ts';
import { NO_LINK, raise } from './no-link.ts';
import { Challenges } from '../connection/challenges.ts';
import { HopMarks } from '../http/exchange/hop-mark.ts';
import { KnownResources } from '../services/resources.ts';
import { BodyRoom } from '../http/exchange/body-room.ts';
import { BcryptThread } from '../services/bcrypt.ts';
import { CircuitBreakers } from '../services/breakers.ts';
import { SlidingCounters } from '../services/counters.ts';
import { Outside } from '../services/outside.ts';
import { SlicedWork } from '../services/slices.ts';
import { EventLog } from '../services/event-log.ts';
import { CallTurns } from '../http/policy/call-turns.ts';
import { createHttpService } from '../http/service.ts';
import { portOf } from './services.ts';

/** Pulls from one session into the other, a turn of the loop later, as a wire would. */
function wire(from: () => MuxSession, to: () => MuxSession): () => void {
  return () => {
    setImmediate(() => {
      for (let bytes = from().pull(); bytes !== undefined; bytes = from().pull()) {
        to().receive(bytes);
        from().release(bytes);
      }
    });
  };
}

/** What the agent's side does with a stream. */
export type AgentBehaviour = (stream: MuxStream) => MuxStreamHandler;

export const IGNORE: MuxStreamHandler = { onData() {}, onEnd() {}, onReset() {}, onDrain() {} };

export class FakeAgent {
  readonly server: MuxSession;
  readonly client: MuxSession;
  readonly purposes: StreamPurpose[] = [];
  streams = 0;
  online = true;

  constructor(behaviour: AgentBehaviour, faults: Faults) {
    let server: MuxSession | null = null;
    let client: MuxSession | null = null;
    const one = (): MuxSession => server ?? raise();
    const other = (): MuxSession => client ?? raise();
    server = createMuxSession(
      { role: 'server', nudge: false },
      {
        onStream: () => {},
        onOutput: wire(one, other),
        onFault: (error, stream) => streamFault(faults, error, stream),
        onEnd: () => {},
      },
    );
    client = createMuxSession(
      { role: 'client' },
      {
        onStream: (stream) => {
          stream.handler = behaviour(stream);
        },
        onOutput: wire(other, one),
        onEnd: () => {},
      },
    );
    this.server = server;
    this.client = client;
  }

  lose(): void {
    this.online = false;
    this.server.wireEnded('lost');
    this.client.wireEnded('lost');
  }
}

/** Pipes bytes to a port, half-closes kept; a refused connection becomes the official agents' 502. */
export function dial(port: number): AgentBehaviour {
  return (stream) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    socket.on('data', (chunk) => {
      if (!stream.write(chunk)) socket.pause();
    });
    socket.on('end', () => stream.end());
    socket.on('error', () => {
      const text = 'failed to dial backend: connection refused';
      if (socket.connecting || socket.bytesRead === 0) {
        stream.write(Buffer.from(`HTTP/1.1 502 Bad Gateway\r\ncontent-length: ${text.length}\r\n\r\n${text}`));
      }
      stream.end();
    });
    return {
      onData: (chunk) => {
        const length = chunk.length;
        socket.write(Buffer.from(chunk), () => stream.consume(length));
      },
      onEnd: () => socket.end(),
      onReset: () => socket.resetAndDestroy(),
      onDrain: () => socket.resume(),
    };
  };
}

export interface Harness {
  readonly service: HttpService;
  readonly context: EdgeContext;
  readonly events: TrafficEvent[];
  readonly port: number;
  readonly agents: Map<string, FakeAgent>;
  /** Sessions at their cap. */
  readonly full: Set<string>;
  evict: (sessionId: string) => boolean;
  publish(...endpoints: RouteEndpoint[]): void;
  connect(): Socket;
  /** Writes, reads until the connection ends or `until` matches. */
  talk(text: string | Buffer, until?: RegExp): Promise<string>;
  close(): Promise<void>;
}

export interface HarnessOptions {
  readonly agents?: Record<string, AgentBehaviour>;
  readonly policies?: Record<string, CompiledPolicy>;
  readonly limits?: Partial<EdgeLimits>;
  readonly scheme?: 'http' | 'https';
  readonly config?: Partial<EdgeConfig>;
  readonly trusted?: boolean;
  readonly trustedProxies?: readonly string[];
  readonly ruledBy?: () => LiveEndpoint | null;
  readonly http2?: boolean;
  /** Memory for bodies that policies read. */
  readonly bodyBytes?: number;
  /** Of what policies count. */
  readonly counterClock?: () => number;
  /** What policies may reach although it is not public. */
  readonly outside?: readonly string[];
  /** Published sets; without them nobody is asked. */
  readonly keys?: Keys;
}

/** `await using` closes it. */
export async function harness(options: HarnessOptions = {}): Promise<Harness & AsyncDisposable> {
  const log: Log = {
    ...SILENT_LOG,
    error: (fields, message) => process.stderr.write(`${message} ${JSON.stringify(fields)}\n`),
  };
  const faults = new Faults(log);
  const agents = new Map<string, FakeAgent>();
  for (const [id, behaviour] of Object.entries(options.agents ?? {})) agents.set(id, new FakeAgent(behaviour, faults));
  const full = new Set<string>();
  const events: TrafficEvent[] = [];
  const gone: GoneListener[] = [];
  const routes = createRouteTable({
    compile: (source) => options.policies?.[source] ?? raise(),
    log: SILENT_LOG,
  });
  const resources = new KnownResources();
  const pressure: { evict: ((sessionId: string) => boolean) | null } = { evict: null };
  const streams: AgentStreams = {
    canOpen: (upstream) => !full.has(upstream.sessionId) && agents.get(upstream.sessionId)?.online === true,
    isOnline: (upstream) => agents.get(upstream.sessionId)?.online === true,
    scarce: (upstream) => full.has(upstream.sessionId),
    open(upstream: AgentUpstream, _claim, purpose, proxyHeader, handler, first) {
      const agent = agents.get(upstream.sessionId);
      if (agent === undefined || !agent.online) throw fail(3210);
      agent.streams++;
      agent.purposes.push(purpose);
      return agent.server.open(3, handler, Buffer.concat([proxyHeader ?? Buffer.alloc(0), first ?? Buffer.alloc(0)]));
    },
    wait(upstream, _claim, onPlace) {
      let tries = 0;
      const look = (): void => {
        if (!full.has(upstream.sessionId) || pressure.evict?.(upstream.sessionId) === true) onPlace(null);
        else if (++tries < 20) timer = setTimeout(look, 10);
        else onPlace(fail(743, { limit: 0, seconds: 0.2 }));
      };
      let timer = setTimeout(look, 0);
      return { cancel: () => clearTimeout(timer) };
    },
    onPressure(reclaimer) {
      pressure.evict = (sessionId) => reclaimer.idle(sessionId) || reclaimer.slow(sessionId, () => true);
    },
    onGone(listener) {
      gone.push(listener);
    },
  };
  const marks = new HopMarks();
  marks.signWith(randomBytes(32));
  const context: EdgeContext = {
    config: {
      tcpHosts: [],
      agentNames: [],
      ...PLAIN_CONFIG,
      trustedProxies: options.trustedProxies ?? [],
      publicHttpsPort: 8443,
      limits: { ...LIMITS, ...options.limits },
      ...options.config,
    },
    link: NO_LINK,
    routes,
    returning: new Returning([], Date.now),
    agents: streams,
    moves: null,
    marks,
    challenges: new Challenges(),
    bodies: new BodyRoom(options.bodyBytes ?? 1 << 26),
    services: {
      bcrypt: new BcryptThread(),
      breakers: new CircuitBreakers(options.counterClock ?? (() => performance.now())),
      counters: new SlidingCounters(options.counterClock ?? (() => performance.now())),
      events: new EventLog(log, () => performance.now()),
      keys: options.keys ?? { at: () => Promise.resolve({ problem: 'nobody is asked in this test' }) },
      providers: NO_PROVIDERS,
      resources,
      slices: new SlicedWork(),
      sessions: POLICY_CONTEXT.services.sessions,
      outgoing: null,
      relays: new Outside({ allow: options.outside ?? [], atOnce: 64, ofOne: 16 }),
      addresses: null,
      firewall: null,
    },
    callTurns: new CallTurns(),
    wheel: createTimerWheel({ resolution: 10 }),
    log,
    faults,
    now: Date.now,
    random: Math.random,
    traffic: (event) => events.push(event),
  };
  const service = createHttpService(context);
  const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const connection = visitorOf(socket, options);
    if (options.http2 === true) void service.serveHttp2(connection);
    else service.serveHttp1(connection, null);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = portOf(server);
  let revision = 0;
  const open = (): Socket => connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const close = async (): Promise<void> => {
    service.destroy();
    await new Promise((resolve) => server.close(resolve));
    for (const agent of agents.values()) agent.lose();
  };
  return {
    service,
    context,
    events,
    port,
    agents,
    full,
    evict: (sessionId) => pressure.evict?.(sessionId) === true,
    publish(...endpoints) {
      routes.apply({ revision: ++revision, snapshot: false, upserts: endpoints, removes: [] });
    },
    connect: open,
    talk: (text, until) => exchangeText(open(), text, until),
    close,
    [Symbol.asyncDispose]: close,
  };
}

export function visitorOf(socket: Socket, options: HarnessOptions): VisitorConnection {
  const conn: ConnView = {
    clientIp: '192.0.2.7',
    clientPort: socket.remotePort ?? 0,
    serverIp: '127.0.0.1',
    serverPort: socket.localPort ?? 0,
    serverRegion: 'local',
    startedAt: Date.now(),
    bytesIn: 0,
    bytesOut: 0,
    tls: null,
  };
  return {
    socket,
    scheme: options.scheme ?? 'http',
    conn,
    clientAddr: `192.0.2.7:${socket.remotePort ?? 0}`,
    ruledBy: options.ruledBy?.() ?? null,
    fromTrustedProxy: options.trusted ?? false,
  };
}

/** Writes `text`; resolves with what came until the end of the connection or until `until` matches. */
export function exchangeText(socket: Socket, text: string | Buffer, until?: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let got = '';
    const deadline = setTimeout(() => finish(new Error(`no answer in time; got ${JSON.stringify(got)}`)), 50_000);
    const finish = (error: Error | null): void => {
      clearTimeout(deadline);
      socket.removeAllListeners('data');
      if (error === null) resolve(got);
      else reject(error);
      if (until === undefined) socket.destroy();
    };
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString('latin1');
      if (until?.test(got) === true) finish(null);
    });
    socket.on('end', () => finish(null));
    socket.on('error', (error) => finish(error));
    if (text.length > 0) socket.write(text);
  });
}

export const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: app.test\r\n${more}\r\n`;

/** Turns of the loop that see what was under way through client, edge, agent and service, all of this process. */
const TURNS = 50;

/**
 * Waits, and then until this process has dealt with what has arrived by then: on a busy machine the time may be over
 * before anything was.
 */
export async function sleep(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  for (let turn = 0; turn < TURNS; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** The chunks of a chunked response. */
export function chunksOf(response: string): string[] {
  const chunks: string[] = [];
  let rest = response.slice(response.indexOf('\r\n\r\n') + 4);
  for (;;) {
    const size = Number.parseInt(rest, 16);
    const start = rest.indexOf('\r\n') + 2;
    if (!(size > 0)) return chunks;
    chunks.push(rest.slice(start, start + size));
    rest = rest.slice(start + size + 2);
  }
}

/** The JSON in a response. */
export function jsonIn(response: string): unknown {
  const start = response.search(/[[{]/);
  const end = Math.max(response.lastIndexOf(']'), response.lastIndexOf('}'));
  return JSON.parse(response.slice(start, end + 1));
}

/** Everything that a socket delivers until its end. */
export async function readAll(socket: Socket): Promise<Buffer> {
  const parts: Buffer[] = [];
  socket.on('data', (part: Buffer) => parts.push(part));
  await new Promise((resolve) => socket.on('end', resolve));
  return Buffer.concat(parts);
}
