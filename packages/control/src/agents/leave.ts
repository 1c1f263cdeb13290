import type { TunnelRecord } from '@postern/registry';
import type { Core } from '../core.ts';
import { reservationsOf } from '../give-back.ts';
import { edgesReaching, routesOfEdges } from '../labelled.ts';
import { settle } from '../online.ts';
import type { RouteChange } from '../edges/edge-set.ts';

/** What the edge must forget and recompute once these tunnels are out of the registry. */
export async function changeWithout(core: Core, tunnels: readonly TunnelRecord[]): Promise<RouteChange> {
  const removes = tunnels.flatMap((tunnel) => (tunnel.endpoint === null ? [] : [tunnel.endpoint.id]));
  return { removes, upserts: await routesOfEdges(core, edgesReaching(core, tunnels)) };
}

/** Takes a session and its tunnels out. Runs inside the claim step; the result resolves when their routes are gone. */
export async function dropSession(core: Core, sessionId: string): Promise<{ readonly offline: Promise<void> }> {
  const tunnels = await core.registry.removeSession(sessionId);
  for (const tunnel of tunnels) core.recentlyLeft.add(tunnel);
  core.returns.later(reservationsOf(tunnels.map(({ endpoint }) => endpoint)));
  return { offline: core.edges.publish(await changeWithout(core, tunnels)) };
}

/** The session's wire is gone. Resolves when no visitor is sent to it any more. */
export async function sessionEnded(core: Core, sessionId: string): Promise<void> {
  const { offline } = await core.claims.run(() => dropSession(core, sessionId));
  await settle(core, offline);
}

/** What it reserved by itself is free again before this resolves. Idempotent: an id that this session does not have is no error (agent-protocol.md §5.4). */
export async function unbind(core: Core, sessionId: string, bindId: string): Promise<void> {
  const left = await core.claims.run(async () => {
    core.sleepers.forget(sessionId, bindId);
    const tunnel = await core.registry.findTunnel(sessionId, bindId);
    if (tunnel === null) return null;
    await core.registry.removeTunnel(tunnel.id);
    return { tunnel, offline: core.edges.publish(await changeWithout(core, [tunnel])) };
  });
  if (left === null) return;
  await Promise.all([settle(core, left.offline), core.returns.now(reservationsOf([left.tunnel.endpoint]))]);
}
