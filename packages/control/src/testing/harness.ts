import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fail } from '@postern/errors';
import type { AgentBound, AgentSessionAccepted, ControlLink } from '@postern/link';
import type { AuthRequest, BindOptions, BindRequest, LabelBindRequest } from '@postern/protocol';
import { createMemoryRegistry, type Cluster, type Registry } from '@postern/registry';
import { createIdSource, openStore, TABLE_NAMES, type Store, type Write } from '@postern/store';
import { afterAll, beforeAll } from 'vitest';
import { DEFAULT_LIMITS, type ControlConfig, type PolicyRules } from '../config.ts';
import { createControl, type Control } from '../control.ts';
import type { Caller } from '../types.ts';
import { FakeEdge } from './fake-edge.ts';

export const CONFIG: ControlConfig = {
  baseDomains: ['postern.localhost', 'example.test'],
  publicHttpPort: 8880,
  publicHttpsPort: 8443,
  tcpHost: 'localhost',
  tcpPortRange: { first: 20_000, last: 20_009 },
  ownNames: ['connect.postern.localhost'],
  autoReserve: 'any',
  region: 'us',
  webUrl: 'https://hello.example.test/',
  loginApps: [],
  limits: { ...DEFAULT_LIMITS, applyMs: 60_000, lostMs: 5, wakeMs: 5 },
};

/** JSON only, `broken` is refused; rules go in front. The language itself has its own tests. */
export const FAKE_POLICY: PolicyRules = {
  check(text) {
    if (text.includes('broken')) throw fail(2236, { reason: 'it is broken' });
    JSON.parse(text);
    return [];
  },
  endsTls: (text, protocol) => protocol === 'tls' && text.includes('terminate-tls'),
  withRules(text, rules) {
    const user: unknown = text === '' ? {} : JSON.parse(text);
    return JSON.stringify({ rules, user });
  },
};

/** A third of it is how often nodes renew. */
export const LEASE_MS = 30;
export const POLICY = '{"on_http_request":[{"actions":[{"type":"deny"}]}]}';

/** Control over a real SQLite store, a memory registry and a fake edge. */
export interface Harness {
  readonly control: Control;
  /** As the fake edge has it. */
  readonly link: ControlLink;
  readonly edge: FakeEdge;
  readonly store: Store;
  readonly registry: Registry;
  /** Where another node can join. */
  readonly cluster: Cluster;
  readonly caller: Caller;
  readonly authtoken: string;
  readonly apiKey: string;
  /** Moves the clock, in milliseconds. */
  advance(ms: number): void;
  connect(request?: Partial<AuthRequest>, ip?: string): Promise<AgentSessionAccepted>;
  bind(session: AgentSessionAccepted, opts: Partial<BindOptions>, request?: Partial<BindRequest>): Promise<AgentBound>;
  bindLabels(session: AgentSessionAccepted, labels: Record<string, string>): Promise<string>;
  /** Gives back what nobody has used for long, as the running server does every minute. */
  sweep(): Promise<void>;
  /** The same data under a new process: empty registry, new edge. */
  restart(config?: Partial<ControlConfig>): Promise<Harness>;
  /** Another node on the same data: its own locks and mirrors, and an edge of its own. */
  beside(): Promise<Harness>;
}

/** One store for a test file, emptied for every harness: opening a database costs more than most tests. */
export function useStore(): (config?: Partial<ControlConfig>, tamper?: (store: Store) => Store) => Promise<Harness> {
  let now = Date.UTC(2026, 10, 24, 12);
  const ids = createIdSource({ now: () => now });
  let directory = '';
  let store: Store;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'postern-control-'));
    store = await openStore({ directory, encryptionKey: randomBytes(32), now: () => now, ids });
  });
  afterAll(async () => {
    await store.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function open(
    config: ControlConfig,
    used: Store,
    tokens: { readonly apiKey: string; readonly authtoken: string } | null,
    cluster = createMemoryRegistry({ now: () => now, leaseMs: LEASE_MS }),
    nodeId = 'n1',
  ): Promise<Harness> {
    const registry = await cluster.join(nodeId);
    const edge = new FakeEdge();
    const control = createControl({
      store: used,
      registry,
      config,
      policy: FAKE_POLICY,
      ids,
      randomBytes,
      now: () => now,
      certificateFor: async () => null,
      log: { info() {}, warn() {}, error() {} },
    });
    const made = await control.bootstrap(async () => {});
    await control.start();
    const { link } = control.connectEdge();
    await link.follow(edge);
    const apiKey = tokens?.apiKey ?? made?.apiKey ?? '';
    const authtoken = tokens?.authtoken ?? made?.authtoken ?? '';
    return {
      control,
      link,
      edge,
      store: used,
      registry,
      cluster,
      caller: await control.api.authenticateApiKey(apiKey),
      authtoken,
      apiKey,
      advance: (ms) => {
        now += ms;
      },
      connect: (request = {}, ip = '127.0.0.1') => link.authenticate({ ...AUTH, authtoken, ...request }, `${ip}:50000`),
      bind: (session, opts, request = {}) =>
        link.bind(session.sessionId, { ...BIND, ...request, opts: { proxyProto: 0, ...opts } }),
      bindLabels: async (session, labels) => (await link.bindLabels(session.sessionId, { ...LABEL_BIND, labels })).id,
      sweep: () => control.sweep(),
      restart: async (more = {}) => {
        await control.stop();
        return open({ ...config, ...more }, used, { apiKey, authtoken });
      },
      beside: () => open(config, used, { apiKey, authtoken }, cluster, `${nodeId}+`),
    };
  }

  return async (config = {}, tamper = (real) => real) => {
    now = Date.UTC(2026, 10, 24, 12);
    const rows = await Promise.all(
      TABLE_NAMES.map(async (table) => (await store.all(table)).map(({ id }): Write => ({ op: 'delete', table, id }))),
    );
    await store.commit(rows.flat());
    return open({ ...CONFIG, ...config }, tamper(store), null);
  };
}

export const AUTH: AuthRequest = {
  versions: ['3', '2'],
  clientId: '',
  authtoken: '',
  cookie: '',
  os: 'linux',
  arch: 'amd64',
  agentVersion: '1.7.0',
  hostname: '',
  userAgent: 'test-agent/1.0',
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

export const BIND: BindRequest = {
  id: '',
  proto: 'https',
  forwardsTo: 'http://localhost:3000',
  forwardsProto: '',
  rawOpts: {},
  opts: { proxyProto: 0 },
  token: '',
  ipPolicyRef: '',
  metadata: '',
  bindings: [],
  poolingEnabled: false,
  name: '',
  description: '',
};

const LABEL_BIND: LabelBindRequest = {
  id: '',
  labels: {},
  forwardsTo: 'http://localhost:3000',
  forwardsProto: '',
  metadata: '',
};
