/** How the server and its agents are: measured, nursed while things fail, and judged at the end. */
import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Platform } from '../support/platform.ts';
import { until } from '../support/until.ts';
import type { Scene } from './scene.ts';

export interface Health {
  readonly rssMiB: number;
  /** JavaScript heap and buffers, after a collection; 0 = not asked for. */
  readonly inUseMiB: number;
  readonly descriptors: number;
  readonly sessions: number;
  readonly streams: number;
  readonly visitors: number;
}

/** Agents of ours wait at most 30 s between attempts; silent sessions end after a few seconds. */
const RECOVERY_MS = 45_000;
/** The SDK's fourth wait is two minutes: its user would run it again before. */
const SDK_PATIENCE_MS = 12_000;
const MIB = 1024 * 1024;
const MEMORY_FILE = 'memory-in-use.json';
/** What would be kept for ever shows here. */
const IN_USE_SLACK_MIB = 16;
/**
 * The process itself grows until its heaps have the size that the load wants: from 220 to 290 MiB within 6,000 TLS
 * connections, and then no more. The baseline is younger than that.
 */
const RSS_SLACK_MIB = 160;
const DESCRIPTOR_SLACK = 12;
const HEARTBEATS_PER_SESSION = 2;

/** Rejects while the server is not ready. */
export async function measure(platform: Platform): Promise<Health> {
  const { pid, metrics_url } = platform.runtime;
  const [status, descriptors, metrics] = await Promise.all([
    readFile(`/proc/${pid}/status`, 'utf8'),
    readdir(`/proc/${pid}/fd`),
    fetch(`${metrics_url}/metrics`).then((answer) => answer.text()),
  ]);
  const gauge = (name: string): number => {
    const value = new RegExp(`^${name} (\\d+)$`, 'm').exec(metrics)?.[1];
    if (value === undefined) throw new Error('the server is still starting');
    return Number(value);
  };
  return {
    inUseMiB: 0,
    rssMiB: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024,
    descriptors: descriptors.length,
    sessions: gauge('postern_agent_sessions'),
    streams: gauge('postern_agent_streams'),
    visitors: gauge('postern_visitor_connections'),
  };
}

export function describeHealth({ rssMiB, inUseMiB, descriptors, sessions, streams, visitors }: Health): string {
  const inUse = inUseMiB === 0 ? '' : ` (${inUseMiB.toFixed(1)} MiB in use)`;
  return (
    `server ${rssMiB.toFixed(0)} MiB${inUse}, ${descriptors} descriptors, ${sessions} sessions, ${streams} streams, ` +
    `${visitors} visitors`
  );
}

/** When visitors are gone and kept streams have had their idle time. */
export async function atRest(platform: Platform, agents: number): Promise<Health> {
  let last: Health | undefined;
  await until(
    async () => {
      last = await measure(platform);
      const { visitors, sessions, streams } = last;
      return visitors === 0 && sessions === agents && streams <= agents * HEARTBEATS_PER_SESSION;
    },
    RECOVERY_MS,
    250,
  ).catch(() => undefined);
  return { ...(last ?? (await measure(platform))), ...(await collected(platform)) };
}

/** So that the server answers `collected`: flags for it, and where it writes. */
export function collecting(folder: string): Readonly<Record<string, string>> {
  const hook = new URL('./collect.mjs', import.meta.url);
  return {
    NODE_OPTIONS: `--expose-gc --import ${hook.href}`,
    SOAK_MEMORY_FILE: path.join(folder, MEMORY_FILE),
  };
}

/** What is left after a collection of garbage. */
async function collected(platform: Platform): Promise<Pick<Health, 'rssMiB' | 'inUseMiB'>> {
  const file = path.join(platform.dataDir, MEMORY_FILE);
  await rm(file, { force: true });
  platform.process.kill('SIGUSR2');
  const { rss, inUse }: { rss: number; inUse: number } = JSON.parse(await until(() => readFile(file, 'utf8')));
  return { rssMiB: rss / MIB, inUseMiB: inUse / MIB };
}

/** Looks after agents until the signal: an SDK that is in its long wait is run again, as its user would. */
export async function nurse(
  scene: Scene,
  platform: () => Platform,
  signal: AbortSignal,
  counts: Map<string, number>,
): Promise<void> {
  const missingSince = new Map<string, number>();
  while (!signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const online = await endpointsByAgent(platform()).catch(() => null);
    if (online === null) continue;
    for (const agent of scene.agents) {
      const { name, kind } = agent.plan;
      if (agent.busy || online.get(name) === scene.endpointsOf.get(name)) {
        missingSince.delete(name);
        continue;
      }
      const since = missingSince.get(name) ?? performance.now();
      missingSince.set(name, since);
      const missing = performance.now() - since;
      if (kind === 'own' && missing > RECOVERY_MS) {
        scene.ledger.violate(`${name} was not online again after ${Math.round(missing / 1000)} s`);
        missingSince.delete(name);
      }
      if (kind !== 'sdk' || missing < SDK_PATIENCE_MS) continue;
      missingSince.delete(name);
      counts.set('SDK run again', (counts.get('SDK run again') ?? 0) + 1);
      agent.busy = true;
      await agent.restart(0);
      agent.busy = false;
    }
  }
}

/**
 * Every agent is online with all of its endpoints, and none is online that belongs to nobody; nor are they those of a
 * connection that is dead, which the server takes for alive until its agent is back.
 */
export async function recovered(scene: Scene, platform: Platform): Promise<void> {
  await until(
    async () => {
      if (scene.agents.some(({ wire }) => wire.live === 0 || wire.haunting > 0)) return false;
      const online = await endpointsByAgent(platform);
      for (const [name, wanted] of scene.endpointsOf) if (online.get(name) !== wanted) return false;
      // One more: the cloud endpoint.
      return online.size === scene.endpointsOf.size + 1;
    },
    RECOVERY_MS,
    250,
  );
}

/** What is not as it was before, in words. */
export function worseThan(baseline: Health, now: Health): string[] {
  const problems: string[] = [];
  if (now.rssMiB > baseline.rssMiB + RSS_SLACK_MIB) {
    problems.push(`memory: ${now.rssMiB.toFixed(0)} MiB, at first ${baseline.rssMiB.toFixed(0)} MiB`);
  }
  if (now.inUseMiB > baseline.inUseMiB + IN_USE_SLACK_MIB) {
    problems.push(`memory in use: ${now.inUseMiB.toFixed(1)} MiB, at first ${baseline.inUseMiB.toFixed(1)} MiB`);
  }
  if (now.descriptors > baseline.descriptors + DESCRIPTOR_SLACK) {
    problems.push(`descriptors: ${now.descriptors}, at first ${baseline.descriptors}`);
  }
  for (const what of ['sessions', 'visitors'] as const) {
    if (now[what] !== baseline[what]) problems.push(`${what}: ${now[what]}, at first ${baseline[what]}`);
  }
  if (now.streams > baseline.streams) problems.push(`streams: ${now.streams}, at first ${baseline.streams}`);
  return problems;
}

async function endpointsByAgent(platform: Platform): Promise<Map<string, number>> {
  const rows: readonly { readonly metadata?: string }[] = (await platform.api('GET', '/endpoints?limit=100')).body
    .endpoints;
  const counts = new Map<string, number>();
  for (const { metadata = '' } of rows) counts.set(metadata, (counts.get(metadata) ?? 0) + 1);
  return counts;
}
