import { randomBytes } from 'node:crypto';
import { chmod, mkdir } from 'node:fs/promises';
import { type Api, createApi } from '@postern/api';
import { type Control, DEFAULT_LIMITS, createControl } from '@postern/control';
import { type Edge, type EdgeConfig, DEFAULT_EDGE_LIMITS, createEdge } from '@postern/edge';
import { createMemoryRegistry } from '@postern/registry';
import { type Store, createIdSource, loadOrCreateKey, openStore } from '@postern/store';
import type { Server } from 'node:http';
import { FileCertificates } from './certificates/certificate-files.ts';
import { Certificates } from './certificates/certificates.ts';
import { LocalCa } from './certificates/local-ca.ts';
import { type Address, formatAddress, withBothLoopbacks } from './config/addresses.ts';
import { flagOf } from './config/options.ts';
import type { ServerConfig } from './config/server-config.ts';
import { type CredentialFiles, credentialFiles, readCredentials, writeCredentials } from './credentials-files.ts';
import { bindAll, listen } from './listen.ts';
import type { Logger } from './log.ts';
import { Metrics, createMetricsServer } from './metrics.ts';
import { policyRules } from './policy-rules.ts';
import { type RuntimeInfo, publishRuntime } from './runtime-file.ts';

/** Where a running platform is, and how to reach into it. */
export interface Platform {
  readonly runtime: RuntimeInfo;
  readonly control: Control;
  readonly ca: LocalCa;
  readonly credentials: { readonly apiKey: string; readonly authtoken: string };
  /** Ports that visitors see in URLs. */
  readonly publicHttpPort: number;
  readonly publicHttpsPort: number;
  /** Reads certificates given by file again. */
  reload(): Promise<void>;
  /** The ordered stop; resolves when nothing of the platform is left. */
  stop(): Promise<void>;
}

export interface PlatformParts {
  readonly config: ServerConfig;
  readonly version: string;
  readonly log: Logger;
  readonly resetCredentials: boolean;
  readonly now: () => number;
  readonly random: () => number;
}

/**
 * Starts everything, in this order:
 *
 * 1. data folder, key, database: nothing can be promised without them;
 * 2. certificates and control: what the edge asks for;
 * 3. the edge, its agent listener first: agents that come back wait 0, 50 ms, 2.5 s and then two minutes, so the
 *    listener must be there early (agent-protocol.md §0.5);
 * 4. the API and the metrics, which report what runs;
 * 5. `runtime.json`, for whoever waits until everything is ready.
 *
 * What was started before a failure is stopped again.
 */
export async function startPlatform(parts: PlatformParts): Promise<Platform> {
  const { config, log, now } = parts;
  const undo: (() => Promise<unknown>)[] = [];
  try {
    return await start(parts, undo);
  } catch (error) {
    for (const step of undo.toReversed()) await step().catch((cause: unknown) => log.error({ err: cause }, 'clean-up'));
    throw error;
  } finally {
    void config;
    void now;
  }
}

async function start(parts: PlatformParts, undo: (() => Promise<unknown>)[]): Promise<Platform> {
  const { config, version, log, now, random } = parts;
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  await chmod(config.dataDir, 0o700);
  const encryptionKey = await loadOrCreateKey(config.dataDir, { given: process.env['POSTERN_ENCRYPTION_KEY'] });
  const ids = createIdSource({ now });
  const store = await openStore({
    directory: config.dataDir,
    encryptionKey,
    now,
    ids,
    onHealth: (health) => {
      if (health.writable) log.info({ sub: 'store' }, 'the database can be written again');
      else log.error({ sub: 'store', reason: health.lastError }, 'the database cannot be written');
    },
  });
  undo.push(() => store.close());

  const ca = await LocalCa.open(config.dataDir, store.secrets, now);
  const agentNames = [...new Set([...config.agentNames, '127.0.0.1', '::1'])];
  const files = new FileCertificates(config.tlsCertificates);
  const certificates = new Certificates({ ca, files, agentNames, covers: (name) => control.covers(name), now });

  // Control writes public ports into URLs; with port 0 they are known once the edge has bound its listeners.
  const ports = {
    http: () => config.publicHttpPort ?? edge.addresses.http.port,
    https: () => config.publicHttpsPort ?? edge.addresses.https.port,
  };
  const control: Control = createControl({
    store,
    registry: createMemoryRegistry(),
    policy: policyRules,
    ids,
    randomBytes,
    now,
    certificateFor: (name) => certificates.find(name),
    log: log.child({ sub: 'control' }),
    nodeId: 'local',
    config: {
      baseDomains: config.baseDomains,
      get publicHttpPort() {
        return ports.http();
      },
      get publicHttpsPort() {
        return ports.https();
      },
      tcpHost: config.tcpHost,
      tcpPortRange: tcpRange(config, random),
      ownNames: config.agentNames,
      autoReserve: config.autoReserve,
      region: '',
      limits: DEFAULT_LIMITS,
    },
  });
  const credentials = await firstCredentials(control, credentialFiles(config.dataDir), parts.resetCredentials, log);
  await control.start();
  undo.push(() => control.stop());

  const metrics = new Metrics(() => edge.stats());
  const edge: Edge = createEdge({
    config: edgeConfig(config, ports),
    link: control.link,
    log: log.child({ sub: 'edge' }),
    now,
    random,
    traffic: (event) => metrics.observe(event),
  });
  undo.push(() => edge.stop());
  await edge.start();

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
  undo.push(() => api.close());
  const apiAddress: Address = await bindAll(flagOf('api_listen'), config.api.flatMap(withBothLoopbacks), (address) =>
    api.listen(address).then((bound) => bound.port),
  );
  const metricsServers: Server[] = [];
  const metricsAddress = await bindAll(
    flagOf('metrics_listen'),
    config.metrics.flatMap(withBothLoopbacks),
    async (address) => {
      const server = createMetricsServer(metrics, () => readiness(stopping, store));
      const port = await listen(server, address);
      metricsServers.push(server);
      return port;
    },
  );
  undo.push(() => closeServers(metricsServers));

  const files_ = credentialFiles(config.dataDir);
  const runtime: RuntimeInfo = {
    pid: process.pid,
    version,
    api_url: `http://${formatAddress(apiAddress)}`,
    http_addr: formatAddress(edge.addresses.http),
    https_addr: formatAddress(edge.addresses.https),
    agent_addr: formatAddress(edge.addresses.agents),
    tcp_ports: `${control.tcpPortRange.first}-${control.tcpPortRange.last}`,
    metrics_url: `http://${formatAddress(metricsAddress)}`,
    base_domains: config.baseDomains,
    ca_path: `${config.dataDir}/ca.pem`,
    api_key_path: files_.apiKeyPath,
    authtoken_path: files_.authtokenPath,
  };
  const unpublish = await publishRuntime(config.dataDir, runtime);
  return {
    runtime,
    control,
    ca,
    credentials,
    publicHttpPort: ports.http(),
    publicHttpsPort: ports.https(),
    async reload() {
      certificates.reload();
      await edge.reloadCertificates();
    },
    /**
     * Unready first, so that balancers look elsewhere; then the edge drains visitors and closes agents last; the API
     * stays up meanwhile for whoever watches; the database goes last, because everything before may still write.
     */
    async stop() {
      if (stopping) return;
      stopping = true;
      await unpublish();
      await edge.stop();
      await api.close();
      await control.stop();
      await closeServers(metricsServers);
      await store.close();
    },
  };
}
