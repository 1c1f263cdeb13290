import { randomBytes } from 'node:crypto';
import type { Server as HttpServer } from 'node:http';
import path from 'node:path';
import process from 'node:process';
import { setImmediate, setTimeout } from 'node:timers/promises';
import type { Api } from '@postern/api';
import { type Control, DEFAULT_LIMITS, createControl, policyRules, policyRulesWithoutFirewall } from '@postern/control';
import { createEdge } from '@postern/edge';
import { createMemoryRegistry } from '@postern/registry';
import { type Store, createIdSource } from '@postern/store';
import { type AccessLog, openAccessLog } from './access-log/access-log.ts';
import { AddressFiles } from './address-files.ts';
import { openData } from './open-data.ts';
import { AgentNames } from './agent-names.ts';
import { FileCertificates } from './certificates/certificate-files.ts';
import { Certificates } from './certificates/certificates.ts';
import { followDomains } from './certificates/follow-domains.ts';
import { StoredCertificates } from './certificates/stored-certificates.ts';
import { caScope } from './certificates/ca-scope.ts';
import { watchExpiry } from './certificates/expiry.ts';
import { KeptLeaf } from './certificates/kept-leaf.ts';
import { type RunningManager, startManager } from './certificates/managed.ts';
import { LocalCa } from './certificates/local-ca.ts';
import { readLoginApps } from './config/login-apps.ts';
import { flagOf } from './config/options.ts';
import type { ServerConfig } from './config/server-config.ts';
import { type FirstTokens, credentialFiles, firstTokens } from './credentials-files.ts';
import { edgeConfig, tcpAddresses, tcpPortRange } from './edge-config.ts';
import type { Handover } from './handover.ts';
import type { Doors } from './listeners/doors.ts';
import { checkAddresses } from './listeners/listen.ts';
import { runtimeFields } from './listeners/list.ts';
import type { Logger } from './log.ts';
import { uncaught } from './last-net.ts';
import { Metrics } from './metrics/metrics.ts';
import { processNumbers } from './metrics/process-numbers.ts';
import { closeServers, createMetricsServer } from './metrics/metrics-server.ts';
import { readiness } from './metrics/readiness.ts';
import { type AgentAccess, agentAccess } from './agent-access.ts';
import { type DataPlane, planeHere } from './workers/plane.ts';
import { Workers } from './workers/workers.ts';
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
  /** Where and how agents connect. */
  readonly agentAccess: AgentAccess;
  /** Where people are sent who open the agents' address in a browser; by default the base domain. */
  showWebVisitors(url: string): Promise<void>;
  /** Tells whoever waits that everything serves: `/readyz`, `runtime.json`, the log. */
  announce(): Promise<void>;
  /** Reads certificates given by file again, and what is known about addresses; opens the access log anew. @throws ConfigError, with the old ones kept */
  reload(): void;
  /** The ordered stop; resolves when nothing of the platform is left. */
  stop(): Promise<void>;
}

export interface PlatformParts {
  readonly config: ServerConfig;
  readonly version: string;
  readonly log: Logger;
  /** Those of the edge are open already. */
  readonly doors: Doors;
  readonly handover: Handover;
  readonly resetCredentials: boolean;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** [0, 1) */
  readonly random: () => number;
}

type Undo = () => Promise<void> | void;

/** What the API gets to answer what it has accepted, while the next server waits for the database. */
const API_GRACE_MS = 5_000;
/** For connections that the system has taken and this process has not: it takes one in each turn of its loop. */
const LAST_ACCEPTS_MS = 30;
const LAST_ACCEPTS = 64;

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
  const { config, version, log, doors, now, random } = parts;
  const { dataDir } = config;
  const ids = createIdSource({ now });
  const store = await openData(parts, ids);
  started.push(() => store.close());
  parts.handover.take();
  await forgetRuntime(dataDir);

  const agentNames = [...new Set([...config.agentNames, '127.0.0.1', '::1'])];
  const scope = caScope({ baseDomains: config.baseDomains, agentNames, more: config.caDomains });
  const ca = await LocalCa.open({ directory: dataDir, box: store.secrets, scope, now });
  if (ca.renewed) {
    log.warn(
      { names: scope.names ?? ['*'], ca: path.join(dataDir, 'ca.pem') },
      'ca.pem was made anew for the names that this server has now; clients that trust the old one need it for new names',
    );
  }
  const stored = new StoredCertificates(store);
  await stored.load();
  const certificates = new Certificates({
    ca,
    files: new FileCertificates(config.tlsCertificates),
    agentNames,
    coverOf: (name) => control.coverOf(name),
    now,
    kept: new KeptLeaf(dataDir, store.secrets),
    stored,
    rules: { local: config.localCertificates, baseDomains: config.baseDomains },
  });
  started.push(watchExpiry(() => certificates.expiries, log.child({ sub: 'certificates' }), now));
  const loginProviders = readLoginApps(config.oauthApps);
  const publicPorts = {
    http: config.publicHttpPort ?? doors.addressOf('http').port,
    https: config.publicHttpsPort ?? doors.addressOf('https').port,
  };
  const tcpPorts = tcpPortRange(config, random);
  const names = new AgentNames(dataDir, config.agentReturnMs, now);
  await checkAddresses(flagOf('tcp_listen'), tcpAddresses(config));
  // Compiled before anything is promised: a mistake in them is one of the start.
  const firewall =
    config.owaspCrs.length === 0
      ? null
      : (await import('./firewall/firewall.ts')).openFirewall(config.owaspCrs, log.child({ sub: 'firewall' }));
  const accessLog = await openAccessLog(config.accessLog, log.child({ sub: 'access log' }));
  started.push(() => accessLog?.close());
  const control: Control = createControl({
    policy: firewall === null ? policyRulesWithoutFirewall : policyRules,
    store,
    registry: await createMemoryRegistry({ now }).join('local'),
    ids,
    randomBytes,
    now,
    certificateFor: (name) => certificates.find(name),
    certificateOrders: () => manager?.manager ?? null,
    traffic: (events) => {
      // Workers count their own.
      if (config.workers === 0) for (const event of events) metrics.observe(event);
      accessLog?.take(events);
    },
    routed: (change) => names.routed(change),
    written: (writes) => follow.written(writes),
    log: log.child({ sub: 'control' }),
    config: {
      baseDomains: config.baseDomains,
      publicHttpPort: publicPorts.http,
      publicHttpsPort: publicPorts.https,
      tcpHost: config.tcpHost,
      tcpPortRange: tcpPorts,
      ownNames: [...config.agentNames, config.loginHost],
      loginApps: Object.keys(loginProviders).filter((name) => loginProviders[name]?.clientId !== ''),
      autoReserve: config.autoReserve,
      region: config.region,
      webUrl: `https://${config.baseDomains[0] ?? 'localhost'}:${publicPorts.https}/`,
      limits: DEFAULT_LIMITS,
      ...(config.acme?.agreed !== true ? {} : { certificates: { wildcards: config.acme.dns !== null } }),
    },
  });
  const follow = followDomains({ store, stored, control, log: log.child({ sub: 'certificates' }) });
  const files = credentialFiles(dataDir);
  const credentials = await firstTokens(control, files, parts.resetCredentials, log);
  await control.start();
  started.push(() => control.stop());

  let state: 'starting' | 'ready' | 'stopping' = 'starting';
  let manager: RunningManager | null = null;
  const metrics = new Metrics({
    version,
    plane: () => (state === 'starting' ? Promise.resolve(null) : plane.numbers()),
    storeWritable: () => store.health.writable,
    certificates: () => certificates.expiries,
    acme: () => manager?.manager.numbers ?? null,
    accessLinesLost: () => accessLog?.dropped ?? 0,
    failedAuthentications: () => control.failedAuthentications,
    uncaught: () => uncaught.count,
    process: processNumbers,
  });
  const metricsServers: HttpServer[] = [];
  const closeMetrics = (): Promise<void> => closeServers(metricsServers);
  started.push(closeMetrics);
  const pages = { metrics: () => metrics.text(), readiness: () => readiness(state, store) };
  const metricsDoor = await doors.open('metrics');
  await metricsDoor.give(async (listen) => {
    const server = createMetricsServer(pages);
    metricsServers.push(server);
    await listen(server);
  });

  const addressFiles =
    config.addressData.length === 0 || config.workers > 0
      ? null
      : await AddressFiles.open(config.addressData, log.child({ sub: 'address data' }));
  if (addressFiles !== null) started.push(() => addressFiles.close());
  const ofEdge = edgeConfig(config, publicPorts, names.expected, loginProviders);
  const plane: DataPlane =
    config.workers === 0
      ? planeHere(
          createEdge({
            config: ofEdge,
            link: control.connectEdge().link,
            log: log.child({ sub: 'edge' }),
            now,
            random,
            addresses: addressFiles,
            listeners: doors.forEdge(),
            firewall,
          }),
          () => void addressFiles?.reload(),
        )
      : new Workers({ config, edge: ofEdge, control, doors, log: log.child({ sub: 'workers' }) });
  started.push(() => plane.stop());
  await plane.start();

  manager = await startManager({
    config,
    version,
    publicPorts,
    store,
    stored,
    ids,
    control,
    now,
    random,
    log: log.child({ sub: 'certificates' }),
  });
  started.push(() => manager?.stop());
  follow.manage(manager?.manager ?? null);

  // Loaded only now: what agents and visitors need is there already, and this takes as long as all of that.
  const { createApi } = await import('@postern/api');
  const api = await createApi({
    control: control.api,
    publicBaseUrl: () => config.publicApiUrl || doors.whereabouts('api'),
    version,
    clock: { now },
    operationId: () => ids.next('op'),
    rateLimit: { perMinute: config.apiRateLimit },
    corsOrigins: config.corsOrigins,
    log: log.child({ sub: 'api' }),
    closeGraceMs: Math.min(config.drainMs, API_GRACE_MS),
  });
  started.push(() => api.close());
  const apiDoor = await doors.open('api');
  await apiDoor.give((listen) => api.listen(listen));

  const addresses = runtimeFields((name) => doors.whereabouts(name));
  const runtime: RuntimeInfo = {
    pid: process.pid,
    version,
    ...addresses,
    tcp_ports: `${tcpPorts.first}-${tcpPorts.last}`,
    base_domains: config.baseDomains,
    ca_path: path.join(dataDir, 'ca.pem'),
    api_key_path: files.apiKeyPath,
    authtoken_path: files.authtokenPath,
  };
  let unpublish = (): Promise<void> => Promise.resolve();
  return {
    runtime,
    control,
    ca: ca.pem,
    credentials,
    publicPorts,
    agentAccess: agentAccess(config, runtime, (name) => certificates.authorityOf(name), ca.pem),
    showWebVisitors: (url) => control.showWebVisitors(url),
    async announce() {
      if (state !== 'starting') return;
      // Before the file is there: who waits for that may ask `/readyz` next.
      state = 'ready';
      unpublish = await publishRuntime(dataDir, runtime);
      log.info({ version, ...addresses, tcp_ports: runtime.tcp_ports }, 'ready');
    },
    reload() {
      certificates.reload();
      void control.certificatesChanged(null);
      plane.reload();
      void accessLog?.reopen();
    },
    async stop() {
      if (state === 'stopping') return;
      state = 'stopping';
      await stopInOrder({
        handover: parts.handover,
        doors,
        plane,
        api,
        control,
        store,
        closeMetrics,
        unpublish,
        addressFiles,
        accessLog,
        names,
        manager,
        followed: () => follow.settled(),
        log,
      });
    },
  };
}

interface Stopping {
  readonly handover: Handover;
  readonly doors: Doors;
  readonly plane: DataPlane;
  readonly api: Api;
  readonly control: Control;
  readonly store: Store;
  readonly closeMetrics: () => Promise<void>;
  /** Removes `runtime.json`. */
  readonly unpublish: () => Promise<void>;
  readonly names: AgentNames;
  readonly addressFiles: AddressFiles | null;
  readonly accessLog: AccessLog | null;
  readonly manager: RunningManager | null;
  /** What was written is followed. */
  readonly followed: () => Promise<void>;
  readonly log: Logger;
}

/**
 * Everything that another server needs is free as soon as the stop begins: the listeners at once, the database when the
 * API has answered what it had accepted. What visitors have in flight needs neither, and is finished meanwhile. The
 * metrics listener says "stopping" until the next server wants its address, and agents stay until that serves.
 */
async function stopInOrder(parts: Stopping): Promise<void> {
  const { handover, doors, plane, api, control, store, closeMetrics, unpublish, log } = parts;
  handover.leave();
  // The next server goes on with what is ordered.
  parts.manager?.stop();
  parts.names.keep();
  // Whoever is connected and not accepted yet would be reset.
  await setTimeout(LAST_ACCEPTS_MS);
  for (let turn = 0; turn < LAST_ACCEPTS; turn += 1) await setImmediate();
  const next = handover.watch();
  doors.close(true);
  const drained = carefully(() => plane.stop(next.ready), log);
  const answered = carefully(() => api.close(), log);
  void next.came.then(closeMetrics);
  await carefully(unpublish, log);
  await answered;
  await carefully(parts.followed, log);
  await carefully(() => control.stop(), log);
  await carefully(() => store.close(), log);
  await drained;
  await carefully(() => parts.addressFiles?.close(), log);
  await carefully(() => parts.accessLog?.close(), log);
  next.end();
  await carefully(closeMetrics, log);
}

/** Last started, first stopped. */
async function undo(started: Undo[], log: Logger): Promise<void> {
  for (let step = started.pop(); step !== undefined; step = started.pop()) await carefully(step, log);
}

/** One part that does not stop cleanly must not keep the others from it. */
async function carefully(step: Undo, log: Logger): Promise<void> {
  try {
    await step();
  } catch (error) {
    log.error({ err: error }, 'a part did not stop cleanly');
  }
}
