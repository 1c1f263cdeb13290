import type { TunnelRecord } from '@postern/registry';
import type { Core } from '../core.ts';
import { within } from '../edges/within.ts';
import { type Keys, withKeys } from '../gate/keys.ts';
import { reservationsOf } from '../give-back.ts';
import { edgesReaching, routesOfEdges } from '../labelled.ts';
import { settle } from '../online.ts';
import type { RouteChange } from '../edges/edge-set.ts';

/** How long an agent that lets go of a name waits for it to be free again. */
const RETURN_MS = 2_000;

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

/** A session that ends, with all that it has online. */
export async function keysOfSession(core: Core, keys: Keys, sessionId: string): Promise<Keys> {
  return keys.id(sessionId).tunnels(await core.registry.tunnelsOfSession(sessionId));
}

function listOf(tunnel: TunnelRecord | null): readonly TunnelRecord[] {
  return tunnel === null ? [] : [tunnel];
}

/** The session's wire is gone. Resolves when no visitor is sent to it any more. */
export async function sessionEnded(core: Core, sessionId: string): Promise<void> {
  const { offline } = await withKeys(
    core,
    (keys) => keysOfSession(core, keys, sessionId),
    () => dropSession(core, sessionId),
  );
  await settle(core, offline);
}

/** What it reserved by itself is free again before this resolves. Idempotent: an id that this session does not have is no error (agent-protocol.md §5.4). */
export async function unbind(core: Core, sessionId: string, bindId: string): Promise<void> {
  const find = (): Promise<TunnelRecord | null> => core.registry.findTunnel(sessionId, bindId);
  const keysOfTunnel = async (keys: Keys): Promise<Keys> => keys.tunnels(listOf(await find()));
  const left = await withKeys(core, keysOfTunnel, async () => {
    core.sleepers.forget(sessionId, bindId);
    const tunnel = await find();
    if (tunnel === null) return null;
    await core.registry.removeTunnel(tunnel.id);
    return { tunnel, offline: core.edges.publish(await changeWithout(core, [tunnel])) };
  });
  if (left === null) return;
  const returned = core.returns.now(reservationsOf([left.tunnel.endpoint]));
  // With a disk that hangs it is given back later; the agent need not wait for that.
  await Promise.all([settle(core, left.offline), within(RETURN_MS, returned).catch(() => undefined)]);
}
