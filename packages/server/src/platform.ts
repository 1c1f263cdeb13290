import { randomBytes } from 'node:crypto';
import { chmod, mkdir } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { createApi } from '@postern/api';
import { type Control, DEFAULT_LIMITS, createControl } from '@postern/control';
import { type Edge, createEdge } from '@postern/edge';
import { createMemoryRegistry } from '@postern/registry';
import { type IdSource, type Store, createIdSource, loadOrCreateKey, openStore } from '@postern/store';
import type { AgentDoor } from './agent-door.ts';
import { FileCertificates } from './certificates/certificate-files.ts';
import { Certificates } from './certificates/certificates.ts';
import { LocalCa } from './certificates/local-ca.ts';
import { type Address, everyAddress, formatAddress, reachable } from './config/addresses.ts';
import { ConfigError } from './config/config-error.ts';
import { flagOf } from './config/options.ts';
import type { ServerConfig } from './config/server-config.ts';
import { type FirstTokens, credentialFiles, firstTokens } from './credentials-files.ts';
import { edgeConfig, edgeListenProblem, tcpAddresses, tcpPortRange } from './edge-config.ts';
import { bindAll, checkAddresses, listen } from './listen.ts';
import type { Logger } from './log.ts';
import { Metrics } from './metrics/metrics.ts';
import { type Readiness, createMetricsServer } from './metrics/metrics-server.ts';
import { messageOf } from './problem.ts';
import { type RuntimeInfo, forgetRuntime, publishRuntime } from './runtime-file.ts';

/** Where a running platform is, and how to reach into it. */
export interface Platform {
  readonly runtime: RuntimeInfo;
  readonly control: Control;
  /** PEM of the installation's own authority. */
  readonly ca: string;
  readonly credentials: FirstTokens;
  /** Ports that visitors see in URLs. */
  readonly publicPorts: { readonly http: number; readonly https: number };
  /** Where people are sent who open the agents' address in a browser; by default the base domain. */
  showWebVisitors(url: string): void;
  /** Tells whoever waits that everything serves: `/readyz`, `runtime.json`, the log. */
  announce(): Promise<void>;
  /** Reads certificates given by file again. @throws ConfigError, with the old ones kept */
  reload(): void;
  /** The ordered stop; resolves when nothing of the platform is left. */
  stop(): Promise<void>;
}

export interface PlatformParts {
  readonly config: ServerConfig;
  readonly version: string;
  readonly log: Logger;
  /** The agent listener, open already; null = agents come to the HTTPS port only. */
  readonly agentDoor: AgentDoor | null;
  readonly resetCredentials: boolean;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** [0, 1) */
  readonly random: () => number;
}

type Undo = () => Promise<void> | void;

/**
 * Starts everything, in this order:
 *
 * 1. data folder, key, database: nothing can be promised without them, and no other server may have them;
 * 2. certificates and control: what the edge asks for;
 * 3. the metrics listener, so that `/readyz` tells the truth from here on and through the whole stop;
 * 4. the edge: agents first, then visitors, who are held until the routes are loaded;
 * 5. the API, which reports what runs;
 * 6. what the caller adds (the demo), and then `announce`: `runtime.json`, for whoever waits until everything is ready.
 *
 * What was started before a failure is stopped again, in reverse.
 * @throws ConfigError, StoreRefused
 */
export async function startPlatform(parts: PlatformParts): Promise<Platform> {
  const started: Undo[] = [];
  try {
    return await start(parts, started);
  } catch (error) {
    await undo(started, parts.log);
    throw error;
  }
}

async function start(parts: PlatformParts, started: Undo[]): Promise<Platform> {
  const { config, version, log, now, random } = parts;
  const { dataDir } = config;
  const ids = createIdSource({ now });
  const store = await openData(parts, ids);
  started.push(() => store.close());
  await forgetRuntime(dataDir);

  const ca = await LocalCa.open(dataDir, store.secrets, now);
  const certificates = new Certificates({
    ca,
    files: new FileCertificates(config.tlsCertificates),
    agentNames: [...config.agentNames, '127.0.0.1', '::1'],
    covers: (name) => control.covers(name),
    now,
  });
  // Control writes public ports into URLs; with port 0 they are known once the edge has bound its listeners.
  const publicPorts = {
    http: () => config.publicHttpPort ?? edge.addresses.http.port,
    https: () => config.publicHttpsPort ?? edge.addresses.https.port,
  };
  const tcpPorts = tcpPortRange(config, random);
  await checkAddresses(flagOf('tcp_listen'), tcpAddresses(config));
  const control: Control = createControl({
    store,
    registry: createMemoryRegistry(),
    ids,
    randomBytes,
    now,
    certificateFor: (name) => certificates.find(name),
    traffic: (events) => {
      for (const event of events) metrics.observe(event);
    },
    log: log.child({ sub: 'control' }),
    nodeId: 'local',
    config: {
      baseDomains: config.baseDomains,
      get publicHttpPort() {
        return publicPorts.http();
      },
      get publicHttpsPort() {
        return publicPorts.https();
      },
      tcpHost: config.tcpHost,
      tcpPortRange: tcpPorts,
      ownNames: config.agentNames,
      autoReserve: config.autoReserve,
      region: config.region,
      limits: DEFAULT_LIMITS,
    },
  });
  const files = credentialFiles(dataDir);
  const credentials = await firstTokens(control, files, parts.resetCredentials, log);
  await control.start();
  started.push(() => control.stop());

  let state: 'starting' | 'ready' | 'stopping' = 'starting';
  const metrics = new Metrics({
    version,
    edge: () => (state === 'starting' ? null : edge.stats()),
    storeWritable: () => store.health.writable,
    process: processNumbers,
  });
  const metricsAddress = await serveMetrics(config, metrics, () => readiness(state, store), started);

  // Edge and API stop side by side: each lets what is in flight finish, to the same deadline.
  const serving: Undo[] = [];
  started.push(() => undoTogether(serving, log));
  let webUrl = '';
  const edge: Edge = createEdge({
    config: edgeConfig(
      config,
      publicPorts,
      () => webUrl || `https://${config.baseDomains[0] ?? 'localhost'}:${publicPorts.https()}/`,
    ),
    link: control.connectEdge().link,
    log: log.child({ sub: 'edge' }),
    now,
    random,
    ...(parts.agentDoor === null ? {} : { agentListener: parts.agentDoor }),
  });
  serving.push(() => edge.stop());
  await edge.start().catch((error: unknown) => {
    throw edgeListenProblem(config, error);
  });

  const api = await createApi({
    control: control.api,
    publicBaseUrl: () => config.publicApiUrl || `http://${formatAddress(reachable(apiAddress))}`,
    version,
    clock: { now },
    operationId: () => ids.next('op'),
    rateLimit: { perMinute: config.apiRateLimit },
    corsOrigins: config.corsOrigins,
    log: log.child({ sub: 'api' }),
    closeGraceMs: config.drainMs,
  });
  serving.push(() => api.close());
  const apiAddress: Address = await bindAll(
    flagOf('api_listen'),
    everyAddress(config.api),
    async (address) => (await api.listen(address)).port,
  );

  const runtime: RuntimeInfo = {
    pid: process.pid,
    version,
    api_url: `http://${formatAddress(reachable(apiAddress))}`,
    http_addr: formatAddress(reachable(edge.addresses.http)),
    https_addr: formatAddress(reachable(edge.addresses.https)),
    agent_addr: formatAddress(reachable(parts.agentDoor?.address ?? edge.addresses.https)),
    tcp_ports: `${tcpPorts.first}-${tcpPorts.last}`,
    metrics_url: `http://${formatAddress(reachable(metricsAddress))}`,
    base_domains: config.baseDomains,
    ca_path: path.join(dataDir, 'ca.pem'),
    api_key_path: files.apiKeyPath,
    authtoken_path: files.authtokenPath,
  };
  return {
    runtime,
    control,
    ca: ca.pem,
    credentials,
    publicPorts: { http: publicPorts.http(), https: publicPorts.https() },
    showWebVisitors(url) {
      webUrl = url;
    },
    async announce() {
      if (state !== 'starting') return;
      // Undone first of all: whoever waits for the file must not find a server that is leaving.
      started.push(await publishRuntime(dataDir, runtime));
      state = 'ready';
      const { api_url, http_addr, https_addr, agent_addr, tcp_ports, metrics_url } = runtime;
      log.info({ version, api_url, http_addr, https_addr, agent_addr, tcp_ports, metrics_url }, 'ready');
    },
    reload() {
      certificates.reload();
      edge.reloadCertificates();
    },
    /**
     * The start in reverse: unready and `runtime.json` gone; edge and API finish what is in flight, agents closed last
     * of all; the metrics listener; control and, because all of them may still write, the database at the very end.
     */
    async stop() {
      if (state === 'stopping') return;
      state = 'stopping';
      await undo(started, log);
    },
  };
}

async function openData({ config, log, now }: PlatformParts, ids: IdSource): Promise<Store> {
  const { dataDir } = config;
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await chmod(dataDir, 0o700);
  } catch (error) {
    throw new ConfigError(flagOf('data_dir'), dataDir, `the folder cannot be used (${messageOf(error)})`);
  }
  return openStore({
    directory: dataDir,
    encryptionKey: await loadOrCreateKey(dataDir, { given: process.env['POSTERN_ENCRYPTION_KEY'] }),
    now,
    ids,
    onHealth: ({ writable, lastError }) => {
      const storeLog = log.child({ sub: 'store' });
      if (writable) storeLog.info({}, 'the database can be written again');
      else storeLog.error({ reason: lastError }, 'the database cannot be written; calls that change something fail');
    },
  });
}

async function serveMetrics(
  config: ServerConfig,
  metrics: Metrics,
  ready: () => Readiness,
  started: Undo[],
): Promise<Address> {
  return bindAll(flagOf('metrics_listen'), everyAddress(config.metrics), async (address) => {
    const server = createMetricsServer({ metrics: () => metrics.text(), readiness: ready });
    const port = await listen(server, address);
    started.push(async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    });
    return port;
  });
}

function readiness(state: 'starting' | 'ready' | 'stopping', store: Store): Readiness {
  if (state !== 'ready') return { ready: false, reason: state };
  const { writable, lastError } = store.health;
  return writable ? { ready: true } : { ready: false, reason: `the database cannot be written: ${lastError}` };
}

function processNumbers(): { residentBytes: number; cpuSeconds: number; startedAt: number } {
  const { user, system } = process.cpuUsage();
  return {
    residentBytes: process.memoryUsage.rss(),
    cpuSeconds: (user + system) / 1e6,
    startedAt: performance.timeOrigin / 1000,
  };
}

/** Last started, first stopped. */
async function undo(started: Undo[], log: Logger): Promise<void> {
  for (let step = started.pop(); step !== undefined; step = started.pop()) await carefully(step, log);
}

async function undoTogether(steps: readonly Undo[], log: Logger): Promise<void> {
  await Promise.all(steps.map((step) => carefully(step, log)));
}

/** One part that does not stop cleanly must not keep the others from it. */
async function carefully(step: Undo, log: Logger): Promise<void> {
  try {
    await step();
  } catch (error) {
    log.error({ err: error }, 'a part did not stop cleanly');
  }
}
