import { within } from '@postern/link';
import type { TunnelRecord } from '@postern/registry';
import { carryOutUnwritten, run } from '../change/change.ts';
import { settle } from '../change/confirm.ts';
import { reservationsOf } from '../change/release.ts';
import type { Decision } from '../change/value.ts';
import type { Core } from '../core.ts';
import type { Keys } from '../gate/keys.ts';

/** How long an agent that lets go of a name waits for it to be free again. */
const RETURN_MS = 2_000;

/** Takes a session and its tunnels out. Runs inside the claim step; the result resolves when their routes are gone. */
export async function dropSession(core: Core, sessionId: string): Promise<{ readonly offline: Promise<void> }> {
  const { online } = await carryOutUnwritten(core, await endOf(core, sessionId));
  return { offline: online };
}

async function endOf(core: Core, sessionId: string): Promise<Decision<null> & { readonly writes: readonly [] }> {
  const tunnels = await core.registry.tunnelsOfSession(sessionId);
  return {
    answer: null,
    writes: [],
    registry: [{ op: 'end', sessionId }],
    givesBackLater: true,
    tell: () => {
      for (const tunnel of tunnels) core.recentlyLeft.add(tunnel);
      core.returns.later(reservationsOf(tunnels.map(({ endpoint }) => endpoint)));
    },
  };
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
  const { online } = await run(
    core,
    (keys) => keysOfSession(core, keys, sessionId),
    () => endOf(core, sessionId),
  );
  await settle(core, online);
}

/** What it reserved by itself is free again before this resolves. Idempotent: an id that this session does not have is no error (agent-protocol.md §5.4). */
export async function unbind(core: Core, sessionId: string, bindId: string): Promise<void> {
  const find = (): Promise<TunnelRecord | null> => core.registry.findTunnel(sessionId, bindId);
  const keysOfTunnel = async (keys: Keys): Promise<Keys> => keys.tunnels(listOf(await find()));
  const { answer: left, online } = await run(core, keysOfTunnel, async () => {
    const tunnel = await find();
    return {
      answer: tunnel,
      writes: [],
      registry: listOf(tunnel).map(({ id }) => ({ op: 'remove', id })),
      givesBackLater: true,
      tell: () => core.sleepers.forget(sessionId, bindId),
    };
  });
  if (left === null) return;
  const returned = core.returns.now(reservationsOf([left.endpoint]));
  // With a disk that hangs it is given back later; the agent need not wait for that.
  await Promise.all([settle(core, online), within(RETURN_MS, returned).catch(() => undefined)]);
}
