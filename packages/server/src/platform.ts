import { randomBytes } from 'node:crypto';
import { chmod, mkdir } from 'node:fs/promises';
import type { Server } from 'node:http';
import path from 'node:path';
import process from 'node:process';
import { createApi } from '@postern/api';
import { type Control, DEFAULT_LIMITS, createControl } from '@postern/control';
import { type Edge, createEdge } from '@postern/edge';
import { createMemoryRegistry } from '@postern/registry';
import { type Store, createIdSource, loadOrCreateKey, openStore } from '@postern/store';
import { FileCertificates } from './certificates/certificate-files.ts';
import { Certificates } from './certificates/certificates.ts';
import { LocalCa } from './certificates/local-ca.ts';
import { type Address, formatAddress, withBothLoopbacks } from './config/addresses.ts';
import { flagOf } from './config/options.ts';
import type { ServerConfig } from './config/server-config.ts';
import { type FirstTokens, credentialFiles, firstTokens } from './credentials-files.ts';
import { edgeConfig, tcpPortRange } from './edge-config.ts';
import { bindAll, listen, listenProblem } from './listen.ts';
import type { Logger } from './log.ts';
import { Metrics, type Readiness, createMetricsServer } from './metrics.ts';
import { type RuntimeInfo, publishRuntime } from './runtime-file.ts';

/** Where a running platform is, and how to reach into it. */
export interface Platform {
  readonly runtime: RuntimeInfo;
  readonly control: Control;
  /** PEM of the installation's own authority. */
  readonly ca: string;
  readonly credentials: FirstTokens;
  /** Ports that visitors see in URLs. */
  readonly publicPorts: { readonly http: number; readonly https: number };
  /** Reads certificates given by file again. @throws ConfigError, with the old ones kept */
  reload(): void;
  /** The ordered stop; resolves when nothing of the platform is left. */
  stop(): Promise<void>;
}

export interface PlatformParts {
  readonly config: ServerConfig;
  readonly version: string;
  readonly log: Logger;
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
 * 1. data folder, key, database: nothing can be promised without them;
 * 2. certificates and control: what the edge asks for;
 * 3. the edge, its agent listener first: agents that come back wait 0, 50 ms, 2.5 s and then two minutes
 *    (agent-protocol.md §0.5), so it must be there early;
 * 4. the API and the metrics, which report what runs;
 * 5. `runtime.json`, for whoever waits until everything is ready.
 *
 * What was started before a failure is stopped again, in reverse.
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

  const ca = await LocalCa.open(dataDir, store.secrets, now);
  const certificates = new Certificates({
    ca,
    files: new FileCertificates(config.tlsCertificates),
    agentNames: [...new Set([...config.agentNames, '127.0.0.1', '::1'])],
    covers: (name) => control.covers(name),
    now,
  });
  // Control writes public ports into URLs; with port 0 they are known once the edge has bound its listeners.
  const publicPorts = {
    http: () => config.publicHttpPort ?? edge.addresses.http.port,
    https: () => config.publicHttpsPort ?? edge.addresses.https.port,
  };
  const tcpPorts = tcpPortRange(config, random);
  const control: Control = createControl({
    store,
    registry: createMemoryRegistry(),
    ids,
    randomBytes,
    now,
    certificateFor: (name) => certificates.find(name),
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
      region: '',
      limits: DEFAULT_LIMITS,
    },
  });
  const files = credentialFiles(dataDir);
  const credentials = await firstTokens(control, files, parts.resetCredentials);
  await control.start();
  started.push(() => control.stop());

  const metrics = new Metrics(() => edge.stats());
  const edge: Edge = createEdge({
    config: edgeConfig(config, publicPorts),
    link: control.link,
    log: log.child({ sub: 'edge' }),
    now,
    random,
    traffic: (event) => metrics.observe(event),
  });
  started.push(() => edge.stop());
  await edge.start().catch((error: unknown) => {
    throw edgeListenProblem(config, error);
  });

  let stopping = false;
  const api = await createApi({
    control: control.api,
    publicBaseUrl: () => config.publicApiUrl || `http://${formatAddress(apiAddress)}`,
    version,
    clock: { now },
    operationId: () => ids.next('op'),
    rateLimit: { perMinute: config.apiRateLimit },
    corsOrigins: config.corsOrigins,
    log: log.child({ sub: 'api' }),
    closeGraceMs: config.drainMs,
  });
  started.push(() => api.close());
  const apiAddress: Address = await bindAll(
    flagOf('api_listen'),
    config.api.flatMap(withBothLoopbacks),
    async (address) => (await api.listen(address)).port,
  );
  const metricsAddress = await serveMetrics(config, metrics, () => readiness(stopping, store), started);

  const runtime: RuntimeInfo = {
    pid: process.pid,
    version,
    api_url: `http://${formatAddress(apiAddress)}`,
    http_addr: formatAddress(edge.addresses.http),
    https_addr: formatAddress(edge.addresses.https),
    agent_addr: formatAddress(edge.addresses.agents),
    tcp_ports: `${tcpPorts.first}-${tcpPorts.last}`,
    metrics_url: `http://${formatAddress(metricsAddress)}`,
    base_domains: config.baseDomains,
    ca_path: path.join(dataDir, 'ca.pem'),
    api_key_path: files.apiKeyPath,
    authtoken_path: files.authtokenPath,
  };
  // Undone first of all: whoever waits for the file must not find a server that is leaving.
  started.push(await publishRuntime(dataDir, runtime));

  return {
    runtime,
    control,
    ca: ca.pem,
    credentials,
    publicPorts: { http: publicPorts.http(), https: publicPorts.https() },
    reload() {
      certificates.reload();
      edge.reloadCertificates();
    },
    /**
     * The start in reverse: `runtime.json` goes, metrics and API close, the edge finishes what visitors have in flight
     * and closes agents last, then control and, because all of them may still write, the database at the very end.
     */
    async stop() {
      if (stopping) return;
      stopping = true;
      await undo(started, log);
    },
  };
}

async function openData({ config, log, now }: PlatformParts, ids: ReturnType<typeof createIdSource>): Promise<Store> {
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  await chmod(config.dataDir, 0o700);
  return openStore({
    directory: config.dataDir,
    encryptionKey: await loadOrCreateKey(config.dataDir, { given: process.env['POSTERN_ENCRYPTION_KEY'] }),
    now,
    ids,
    onHealth: ({ writable, lastError }) => {
      if (writable) log.info({ sub: 'store' }, 'the database can be written again');
      else
        log.error(
          { sub: 'store', reason: lastError },
          'the database cannot be written; calls that change something fail',
        );
    },
  });
}

async function serveMetrics(
  config: ServerConfig,
  metrics: Metrics,
  ready: Readiness,
  started: Undo[],
): Promise<Address> {
  return bindAll(flagOf('metrics_listen'), config.metrics.flatMap(withBothLoopbacks), async (address) => {
    const server: Server = createMetricsServer(metrics, ready);
    const port = await listen(server, address);
    started.push(async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    });
    return port;
  });
}

function readiness(stopping: boolean, store: Store): { ready: boolean; reason: string } {
  if (stopping) return { ready: false, reason: 'stopping' };
  if (!store.health.writable)
    return { ready: false, reason: `the database cannot be written: ${store.health.lastError}` };
  return { ready: true, reason: '' };
}

async function undo(started: Undo[], log: Logger): Promise<void> {
  for (let step = started.pop(); step !== undefined; step = started.pop()) {
    try {
      await step();
    } catch (error) {
      log.error({ err: error }, 'a part did not stop cleanly');
    }
  }
}

/** The edge reports the system's error; what a user needs is the flag. */
function edgeListenProblem(config: ServerConfig, error: unknown): unknown {
  const { port, address } = error as NodeJS.ErrnoException & { port?: number; address?: string };
  if (port === undefined) return error;
  const flags = [
    ['http_listen', config.http],
    ['https_listen', config.https],
    ['agent_listen', config.agents],
  ] as const;
  const found = flags.find(([, addresses]) => addresses.some((candidate) => candidate.port === port));
  return found === undefined ? error : listenProblem(flagOf(found[0]), { host: address ?? '', port }, error);
}
