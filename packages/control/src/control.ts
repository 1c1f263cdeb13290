import type { Challenge } from '@postern/link';
import { timestamp } from '@postern/store';
import { dropSession } from './agents/leave.ts';
import { authenticateApiKey, knowsToken } from './api-keys-auth.ts';
import { Sleepers } from './agents/sleepers.ts';
import { bootstrap, type FirstCredentials, type KeepCredentials, operator, resetCredentials } from './bootstrap.ts';
import type { ControlDependencies } from './config.ts';
import type { Core } from './core.ts';
import { type Cover, coverOf } from './covers.ts';
import { connectEdge, type EdgeConnection } from './edges/connection.ts';
import { EdgeSet } from './edges/edge-set.ts';
import { loginKeys } from './edges/login-keys.ts';
import { NodeSettingsOfNow } from './edges/node-settings.ts';
import { Returns } from './give-back.ts';
import { untilStopped } from './edges/until-stopped.ts';
import { LocalGate } from './gate/local.ts';
import { Lease } from './lease.ts';
import { lookAgain } from './look-again.ts';
import { messageOf, settle } from './change/confirm.ts';
import { policyRules } from './policy-rules.ts';
import {
  createDomainCertificates,
  managedDomain,
  managedDomains,
  type ManagedDomain,
} from './resources/domain-certificates.ts';
import { createEdges } from './resources/edges.ts';
import { createEndpoints } from './resources/endpoints.ts';
import { createManagedCertificates } from './resources/managed-certificates.ts';
import { createPlain } from './resources/plain.ts';
import { createTunnelSessions } from './resources/tunnel-sessions.ts';
import { createTunnels } from './resources/tunnels.ts';
import { Catalog } from './state/catalog.ts';
import { type Door, FailedAuthentications } from './state/failed-authentications.ts';
import { Logins } from './state/logins.ts';
import { RecentlyLeft } from './state/recently-left.ts';
import { Turns } from './turns.ts';
import type { Caller, ControlApi } from './types.ts';

export interface Control {
  /** For the REST surface. */
  readonly api: ControlApi;
  /**
   * For an edge; there may be several.
   * @param name under which the others reach it, unlike that of any edge before; without one it is reached by none
   */
  connectEdge(name?: string): EdgeConnection;
  /** The edges ask anew for the certificates of these names (`*.` first for a wildcard); null = for all. */
  certificatesChanged(names: readonly string[] | null): Promise<void>;
  /** What certificate authorities are answered from now on, in the place of what they were; resolves when every edge does. */
  challenge(challenges: readonly Challenge[]): Promise<void>;
  /** Where people are sent who open the agents' address in a browser. */
  showWebVisitors(url: string): Promise<void>;
  /** Loads what is durable. Before anything else. */
  start(): Promise<void>;
  /**
   * Lets the running claim step finish and tells the edge nothing more. From then on the store is not used: what agents
   * still ask stays open until their sessions end, and the end of a session changes nothing, as it is coming back.
   */
  stop(): Promise<void>;
  /** Gives back automatic reservations that have been without a user for long; runs by itself every minute. */
  sweep(): Promise<void>;
  /** First authtoken and API key; null when there are some already. */
  bootstrap(keep: KeepCredentials): Promise<FirstCredentials | null>;
  resetCredentials(keep: KeepCredentials): Promise<FirstCredentials>;
  /** Who calls the API when the server itself does. */
  operator(): Promise<Caller>;
  /** Whether somebody may come in with the token, as an agent or as a caller of the API. */
  knows(token: string): Promise<boolean>;
  /** How often nobody with a valid credential wanted to come in. */
  readonly failedAuthentications: Readonly<Record<Door, number>>;
  /** Reserved domains that certificates are ordered for. */
  managedDomains(): readonly ManagedDomain[];
  /** null = none are ordered for it, or it is gone. */
  managedDomain(domainId: string): ManagedDomain | null;
  /** Whether, and why, a certificate for this server name has a user here: reservation, endpoint, edge, base domain. */
  coverOf(serverName: string): Promise<Cover | null>;
}

export function createControl(dependencies: ControlDependencies): Control {
  let stopped = false;
  const catalog = new Catalog(
    dependencies.store,
    () => void lookAgain(core, () => stopped),
    (writes) => dependencies.written?.(writes),
  );
  const edges = new EdgeSet(dependencies.config.limits.applyMs, (change) => dependencies.routed?.(change));
  const settings = new NodeSettingsOfNow({
    webUrl: dependencies.config.webUrl,
    randomBytes: dependencies.randomBytes,
    loginKeys: () => loginKeys(dependencies.now(), (text) => dependencies.store.secrets.sign(text)),
    publish: (current) =>
      edges.configure(current, (error) =>
        dependencies.log.error({ error: messageOf(error) }, 'an edge did not take its settings'),
      ),
  });
  const core: Core = {
    ...dependencies,
    get returns() {
      return returns;
    },
    get logins() {
      return logins;
    },
    get sleepers() {
      return sleepers;
    },
    failedAuthentications: new FailedAuthentications(dependencies),
    recentlyLeft: new RecentlyLeft(dependencies.now, dependencies.config.limits.returnMs),
    policy: dependencies.policy ?? policyRules,
    catalog,
    edges,
    settings,
    claims: new LocalGate(),
    turns: new Turns(),
    timestamp: () => timestamp(dependencies.now()),
    endSession: async (sessionId, reason) => {
      const { offline } = await dropSession(core, sessionId);
      edges.where(sessionId)?.closeSession(sessionId, reason);
      // Not waited for: this runs inside the claim step, and nobody may be sent to the session either way.
      void settle(core, offline);
    },
  };
  const returns = new Returns(core);
  const sleepers = new Sleepers(core);
  const lease = new Lease(core);
  const logins = new Logins(core);
  return {
    api: createApi(core),
    connectEdge: (name = '') => untilStopped(connectEdge(core, name), () => stopped),
    certificatesChanged: (names) => settings.certificatesChanged(names),
    challenge: (challenges) => settings.challenge(challenges),
    showWebVisitors: (url) => settings.showWebVisitors(url),
    async start() {
      await core.claims.runAlone(() => catalog.load());
      returns.start();
      lease.start();
      settings.start();
      logins.start();
    },
    async stop() {
      stopped = true;
      returns.stop();
      sleepers.stop();
      lease.stop();
      settings.stop();
      // Who has logged out stays out.
      await logins.stop();
      await core.claims.runAlone(async () => edges.close());
    },
    sweep: () => returns.sweep(),
    bootstrap: (keep) => bootstrap(core, keep),
    resetCredentials: (keep) => resetCredentials(core, keep),
    operator: () => operator(core),
    knows: (token) => knowsToken(core, token),
    failedAuthentications: core.failedAuthentications.counts,
    managedDomains: () => managedDomains(core),
    managedDomain: (domainId) => managedDomain(core, catalog.domains.get(domainId)),
    coverOf: (serverName) => coverOf(core, serverName),
  };
}

function createApi(core: Core): ControlApi {
  return {
    ...createPlain(core),
    domainCertificates: createDomainCertificates(core),
    managedCertificates: createManagedCertificates(core),
    authenticateApiKey: (bearer) => authenticateApiKey(core, bearer),
    refused: (from, error) => core.failedAuthentications.note('api', from, error),
    endpoints: createEndpoints(core),
    tunnelSessions: createTunnelSessions(core),
    tunnels: createTunnels(core),
    edges: createEdges(core),
  };
}
