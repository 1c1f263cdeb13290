/** A control plane of a few maps: enough for agents to authenticate and bind, and for tests to push routes. */
import { randomBytes } from 'node:crypto';
import { fail } from '@postern/errors';
import type { AuthRequest, BindRequest, LabelBindRequest, PatchTunnelRequest } from '@postern/protocol';
import type {
  LoginEvent,
  AgentBound,
  AgentSessionAccepted,
  ControlLink,
  EdgePort,
  NodeSettings,
  RouteEndpoint,
  TlsIdentity,
  TrafficEvent,
} from '@postern/link';
import { endpoint, update, upstream } from './fixtures.ts';

export class FakeControl implements ControlLink {
  port: EdgePort | null = null;

  /** The edge that follows. */
  get edge(): EdgePort {
    if (this.port === null) throw new Error('no edge follows yet');
    return this.port;
  }

  /** Has the edge send what it still holds back of finished exchanges. */
  flush: () => Promise<void> = () => Promise.resolve();
  readonly #events: TrafficEvent[] = [];
  readonly ended: { readonly sessionId: string; readonly reason: string }[] = [];
  readonly auths: AuthRequest[] = [];
  readonly certificates = new Map<string, TlsIdentity>();
  readonly certificateQuestions: string[] = [];
  /** Endpoints of the first snapshot. */
  readonly initial: RouteEndpoint[] = [];
  /** What a bind of this Id becomes besides its upstream; keyed by the URL asked for. */
  readonly shapes = new Map<string, Partial<RouteEndpoint>>();
  settings: NodeSettings = {
    certificates: { count: 0, last: [] },
    webUrl: 'https://hello.test/',
    challenges: [],
    expected: [],
    keys: { hopMarks: randomBytes(32), tickets: randomBytes(32), logins: [{ id: 1, key: randomBytes(32) }] },
  };
  /** Resolves before `follow` sends the snapshot. */
  gate: Promise<void> = Promise.resolve();
  #revision = 0;
  #counter = 0;
  readonly #ends: (() => void)[] = [];

  async follow(edge: EdgePort): Promise<void> {
    this.port = edge;
    await this.gate;
    await edge.applySettings(this.settings);
    await edge.applyRoutes(update(++this.#revision, { snapshot: true, upserts: this.initial }));
  }

  async change(settings: Partial<NodeSettings>): Promise<void> {
    this.settings = { ...this.settings, ...settings };
    await this.port?.applySettings(this.settings);
  }

  async push(...upserts: RouteEndpoint[]): Promise<void> {
    await this.port?.applyRoutes(update(++this.#revision, { upserts }));
  }

  async remove(...removes: string[]): Promise<void> {
    await this.port?.applyRoutes(update(++this.#revision, { removes }));
  }

  certificateFor(serverName: string): Promise<TlsIdentity | null> {
    this.certificateQuestions.push(serverName);
    const wildcard = `*${serverName.slice(serverName.indexOf('.'))}`;
    return Promise.resolve(this.certificates.get(serverName) ?? this.certificates.get(wildcard) ?? null);
  }

  authenticate(request: AuthRequest): Promise<AgentSessionAccepted> {
    this.auths.push(request);
    if (request.authtoken !== 'good') return Promise.reject(fail(107));
    const sessionId = `ts_${++this.#counter}`;
    return Promise.resolve({
      sessionId,
      clientId: `client-${sessionId}`,
      cookie: 'cookie',
      accountId: 'ac_1',
      accountName: 'Test',
      region: 'local',
      banner: '',
    });
  }

  /** Accepts `url` of the options: scheme, host and port become an endpoint with this session as its upstream. */
  async bind(sessionId: string, request: BindRequest): Promise<AgentBound> {
    const url = request.opts.url ?? '';
    const match = /^(http|https|tls|tcp):\/\/([^:]+)(?::(\d+))?$/.exec(url);
    const proto = match?.[1];
    if (match === null || (proto !== 'http' && proto !== 'https' && proto !== 'tls' && proto !== 'tcp'))
      throw fail(9037, { url, reason: 'not one of this test' });
    const id = request.id === '' ? `ep_${++this.#counter}` : request.id;
    const port = match[3] === undefined ? {} : { port: Number(match[3]) };
    const { tlsTermination } = request.opts;
    const termination =
      tlsTermination === undefined
        ? {}
        : {
            tls: { at: 'edge' as const, cert: tlsTermination.cert || null, key: tlsTermination.key || null },
          };
    await this.push(
      endpoint(id, proto, match[2] ?? '', {
        ...port,
        ...termination,
        upstreams: [
          upstream(sessionId, id, { forwardsTo: request.forwardsTo, proxyProtocol: request.opts.proxyProto }),
        ],
        ...this.shapes.get(url),
      }),
    );
    const tlsEndsHere = proto === 'tls' && (tlsTermination !== undefined || request.opts.mutualTlsCa !== undefined);
    const host = match[2] ?? '';
    return { id, url, proto, token: `token-${id}`, tunnelId: `tn_${id}`, host, tlsEndsHere };
  }

  bindLabels(_sessionId: string, request: LabelBindRequest): Promise<{ readonly id: string }> {
    return Promise.resolve({ id: request.id === '' ? `tn_${++this.#counter}` : request.id });
  }

  unbind(_sessionId: string, id: string): Promise<void> {
    return this.remove(id);
  }

  readonly patches: PatchTunnelRequest[] = [];

  patchTunnel(_sessionId: string, request: PatchTunnelRequest): Promise<void> {
    this.patches.push(request);
    return Promise.resolve();
  }

  sessionEnded(sessionId: string, reason: string): Promise<void> {
    this.ended.push({ sessionId, reason });
    for (const resolve of this.#ends.splice(0)) resolve();
    return Promise.resolve();
  }

  /** Resolves with the next end of a session. */
  nextEnd(): Promise<void> {
    return new Promise((resolve) => this.#ends.push(resolve));
  }

  /** Of all exchanges that are finished. */
  async events(): Promise<readonly TrafficEvent[]> {
    await this.flush();
    return this.#events;
  }

  readonly logins: LoginEvent[] = [];

  login(event: LoginEvent): void {
    this.logins.push(event);
  }

  traffic(events: readonly TrafficEvent[]): void {
    this.#events.push(...events);
  }
}
