/** A whole edge on loopback with fake control and fake agents; `await using` takes it down. */
import { connect, type Socket } from 'node:net';
import { connect as tlsConnect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { ignore } from '../connection/pipe.ts';
import type { EdgeConfig, EdgeLimits, Log } from '../context.ts';
import { DEFAULT_EDGE_LIMITS } from '../limits.ts';
import { selfSigned } from './certificate.ts';
import { FakeAgent } from './fake-agent.ts';
import { type EdgeUnderTest, makeEdge } from './edge-under-test.ts';
import { LOOPBACK, type TestAddresses } from './open-listeners.ts';
import { FakeControl } from './fake-control.ts';
import { PLAIN_CONFIG, SILENT_LOG } from './fixtures.ts';

export const AGENT_NAME = 'connect.test';

/** Made once: keys take time. */
export const AGENT_CERTIFICATE = selfSigned(AGENT_NAME, '127.0.0.1');
export const WILDCARD_CERTIFICATE = selfSigned('*.example.test', 'example.test');

export interface EdgeHarness extends AsyncDisposable {
  readonly edge: EdgeUnderTest;
  readonly control: FakeControl;
  /** Dials the agent port and authenticates. */
  agent(): Promise<FakeAgent>;
  /** Dials without authenticating; `null`: no SNI. */
  dialAgent(serverName?: string | null, port?: number): Promise<FakeAgent>;
  tcp(port: number): Promise<Socket>;
  tls(serverName: string, options?: ConnectionOptions): Promise<TLSSocket>;
}

export interface HarnessChange {
  readonly limits?: Partial<EdgeLimits>;
  readonly config?: Partial<EdgeConfig>;
  readonly addresses?: Partial<TestAddresses>;
  readonly log?: Log;
  readonly before?: (control: FakeControl) => void;
  /** Leave the start to the test. */
  readonly start?: boolean;
}

/** Whom a busy machine lets wait is not refused. */
export const TEST_LIMITS: EdgeLimits = { ...DEFAULT_EDGE_LIMITS, drainMs: 200, arrivalMs: 0 };

export function edgeTestConfig(change: Partial<EdgeConfig> = {}): EdgeConfig {
  return {
    tcpHosts: [{ host: '127.0.0.1' }],
    agentNames: [AGENT_NAME],
    ...PLAIN_CONFIG,
    publicHttpsPort: 443,
    limits: TEST_LIMITS,
    ...change,
  };
}

export async function edgeHarness(change: HarnessChange = {}): Promise<EdgeHarness> {
  const control = new FakeControl();
  control.certificates.set(AGENT_NAME, AGENT_CERTIFICATE);
  control.certificates.set('*.example.test', WILDCARD_CERTIFICATE);
  change.before?.(control);
  const edge = await makeEdge(
    edgeTestConfig({ ...change.config, limits: { ...TEST_LIMITS, ...change.limits } }),
    { ...LOOPBACK, ...change.addresses },
    control,
    change.log ?? SILENT_LOG,
  );
  // Numbers come with the traffic that they count; a stop has sent all of it.
  control.flush = () => edge.stats().then(ignore, ignore);
  if (change.start !== false) await edge.start();
  const agents: FakeAgent[] = [];
  const sockets: Socket[] = [];
  const keep = async <T extends Socket>(socket: T, ready: string): Promise<T> => {
    sockets.push(socket);
    socket.on('error', () => {});
    await new Promise<void>((resolve, reject) => {
      socket.once(ready, resolve);
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('closed')));
    });
    return socket;
  };
  const dialAgent = async (serverName: string | null = AGENT_NAME, port = edge.addresses.agents.port) => {
    const agent = await FakeAgent.dial(port, AGENT_CERTIFICATE.cert, serverName);
    agents.push(agent);
    return agent;
  };
  return {
    edge,
    control,
    dialAgent,
    async agent() {
      const agent = await dialAgent();
      const response = await agent.auth();
      if (response.error !== undefined) throw new Error(response.error);
      return agent;
    },
    tcp: (port) => keep(connect({ host: '127.0.0.1', port, allowHalfOpen: true }), 'connect'),
    tls: (servername, options = {}) =>
      keep(
        tlsConnect({
          host: '127.0.0.1',
          port: edge.addresses.https.port,
          servername,
          ca: WILDCARD_CERTIFICATE.cert,
          ...options,
        }),
        'secureConnect',
      ),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      for (const agent of agents) agent.close();
      await edge.stop();
    },
  };
}

/** Connections of visitors that are open. */
export async function visitorConnections({ edge }: EdgeHarness): Promise<number> {
  const { listeners } = await edge.stats();
  return listeners.reduce((sum, { visitors, open }) => sum + (visitors ? open : 0), 0);
}

/** Reads until the other side's FIN, or its end by error. */
export function readAll(socket: Socket): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    if (socket.readableEnded || socket.closed) resolve(Buffer.alloc(0));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('end', () => resolve(Buffer.concat(chunks)));
    socket.on('close', () => resolve(Buffer.concat(chunks)));
  });
}

/** Reads exactly `length` bytes. */
export function readBytes(socket: Socket, length: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let seen = 0;
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      seen += chunk.length;
      if (seen < length) return;
      socket.off('data', onData);
      resolve(Buffer.concat(chunks));
    };
    socket.on('data', onData);
    socket.on('close', () => reject(new Error(`closed after ${seen} of ${length} bytes`)));
  });
}

/** Waits until `check` holds; the test's own deadline ends it. */
export async function eventually(check: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await check())) await new Promise((resolve) => setTimeout(resolve, 10));
}
