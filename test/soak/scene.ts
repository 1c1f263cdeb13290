/** The cast of the fault run: upstreams, agents with their listeners, a cloud endpoint, and the doors for visitors. */
import type { Platform } from '../support/platform.ts';
import { AgentProcess, type AgentPlan } from './agents.ts';
import { Ledger } from './ledger.ts';
import { http1Upstream, http2Upstream, type SoakUpstream, tcpUpstream } from './upstreams.ts';
import type { Door } from './visitors.ts';

export interface Scene {
  readonly ledger: Ledger;
  readonly restartable: readonly [SoakUpstream, ...SoakUpstream[]];
  readonly agents: readonly [AgentProcess, ...AgentProcess[]];
  readonly doors: readonly [Door, ...Door[]];
  /** How many endpoints of the API belong to each agent, by its name. */
  readonly endpointsOf: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** Which upstreams may answer for which endpoint. */
const REACH: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['sdk', new Set(['sdk'])],
  ['own', new Set(['own'])],
  ['pool', new Set(['pool-a', 'pool-b'])],
  ['cloud', new Set(['behind-cloud'])],
  ['speaks-http2', new Set(['speaks-http2'])],
  ['sdk-tcp', new Set(['sdk-tcp'])],
  ['own-tcp', new Set(['own-tcp'])],
]);

export async function setScene(platform: () => Platform): Promise<Scene> {
  const ledger = new Ledger(REACH);
  const http1 = (name: string): Promise<SoakUpstream> => http1Upstream(name, ledger);
  const [sdk, own, poolA, poolB, cloud, two, sdkTcp, ownTcp] = await Promise.all([
    http1('sdk'),
    http1('own'),
    http1('pool-a'),
    http1('pool-b'),
    http1('behind-cloud'),
    http2Upstream('speaks-http2', ledger),
    tcpUpstream('sdk-tcp', ledger),
    tcpUpstream('own-tcp', ledger),
  ]);
  const at = ({ port }: SoakUpstream, scheme = 'http'): string => `${scheme}://127.0.0.1:${port}`;
  const firstPort = Number(platform().runtime.tcp_ports.split('-')[0]);
  const sdkTcpUrl = `tcp://localhost:${firstPort}`;
  const ownTcpUrl = `tcp://localhost:${firstPort + 1}`;
  const pooled = { url: 'https://pool.example.com', poolingEnabled: true };

  const plans: readonly [AgentPlan, ...AgentPlan[]] = [
    {
      name: 'sdk-agent',
      kind: 'sdk',
      listeners: [{ url: 'https://sdk.example.com', upstream: at(sdk) }],
      bothSchemes: true,
    },
    {
      name: 'own-agent',
      kind: 'own',
      listeners: [
        { url: 'https://own.example.com', upstream: at(own) },
        { url: 'http://own.example.com', upstream: at(own) },
        { url: 'https://soak.internal', upstream: at(cloud) },
        { url: 'https://two.example.com', upstream: at(two), forwardsProto: 'http2' },
        { url: ownTcpUrl, upstream: at(ownTcp, 'tcp') },
      ],
    },
    { name: 'sdk-pool', kind: 'sdk', listeners: [{ ...pooled, upstream: at(poolA) }] },
    { name: 'own-pool', kind: 'own', listeners: [{ ...pooled, upstream: at(poolB) }] },
    { name: 'sdk-tcp-agent', kind: 'sdk', listeners: [{ url: sdkTcpUrl, upstream: at(sdkTcp, 'tcp') }] },
  ];
  await makeCloudEndpoint(platform());
  const [first, ...others] = plans;
  const agents = await Promise.all([first, ...others].map((plan) => AgentProcess.create(plan, platform)));
  const [firstAgent, ...otherAgents] = agents;
  if (firstAgent === undefined) throw new Error('there are no agents');

  return {
    ledger,
    // Not the one behind the SDK's tcp endpoint: the SDK makes a clean end out of its upstream's reset.
    restartable: [sdk, own, poolA, poolB, cloud, two, ownTcp],
    agents: [firstAgent, ...otherAgents],
    doors: [
      { endpoint: 'sdk', url: 'https://sdk.example.com' },
      { endpoint: 'sdk', url: 'http://sdk.example.com' },
      { endpoint: 'own', url: 'https://own.example.com' },
      { endpoint: 'own', url: 'http://own.example.com' },
      { endpoint: 'pool', url: pooled.url },
      { endpoint: 'cloud', url: 'https://cloud.example.com' },
      { endpoint: 'speaks-http2', url: 'https://two.example.com' },
      { endpoint: 'sdk-tcp', url: sdkTcpUrl },
      { endpoint: 'own-tcp', url: ownTcpUrl },
    ],
    endpointsOf: new Map(plans.map((plan) => [plan.name, plan.listeners.length + (plan.bothSchemes === true ? 1 : 0)])),
    async close() {
      await Promise.all(agents.map((agent) => agent.close()));
      await Promise.all([sdk, own, poolA, poolB, cloud, two, sdkTcp, ownTcp].map((upstream) => upstream.close()));
    },
  };
}

async function makeCloudEndpoint(platform: Platform): Promise<void> {
  const forward = { type: 'forward-internal', config: { url: 'https://soak.internal' } };
  const answer = await platform.api('POST', '/endpoints', {
    url: 'https://cloud.example.com',
    traffic_policy: JSON.stringify({ on_http_request: [{ actions: [forward] }] }),
  });
  if (answer.status !== 201) throw new Error(`the cloud endpoint was refused: ${answer.text}`);
}
