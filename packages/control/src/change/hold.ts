/** A change into the store and into the registry, or into neither; and again where somebody else was faster. */
import { addressKey, Overtaken, type RegistryChange, SessionGone, type Snapshot } from '@postern/registry';
import { type Guards, StoreConflict, StoreOvertaken } from '@postern/store';
import type { Core } from '../core.ts';
import { messageOf } from './confirm.ts';
import { inverseOf } from './inverse.ts';
import { type Released, releaseOf } from './release.ts';
import { idOf, look, type Seen } from './touched.ts';
import type { Change } from './value.ts';

/** What a step has for itself, as the store's guards say it. */
export type GuardedKeys = Pick<Guards, 'alone' | 'shared'>;

export const EVERYTHING: GuardedKeys = { alone: 'everything', shared: [] };
/** Somebody else may be faster that often. */
const ATTEMPTS = 16;
const UNFENCED: Snapshot = new Map();

/** Again, on what is there by now, where somebody else was faster. */
export async function repeated<T>(core: Core, attempt: () => Promise<T>): Promise<T> {
  for (let left = ATTEMPTS - 1; ; left -= 1) {
    try {
      return await attempt();
    } catch (error) {
      const faster = error instanceof Overtaken || error instanceof StoreOvertaken || error instanceof StoreConflict;
      if (!faster || left === 0) throw error;
      await core.catalog.catchUp();
    }
  }
}

/**
 * Of two that claim one address from two nodes, one at least sees the other: who writes looks at the registry last (the
 * fence), who writes nothing puts its tunnel there and looks at the store last (the guards).
 * @param asOf the revision of the catalog when it was decided
 * @throws Overtaken, StoreOvertaken, StoreConflict, SessionGone; nothing is left of it then
 */
export async function hold(core: Core, change: Change, before: Seen, keys: GuardedKeys, asOf: number): Promise<void> {
  const { writes, registry, fence = UNFENCED } = change;
  const guards = { ...keys, asOf };
  if (writes.length === 0) {
    await core.registry.apply(registry, fence);
    if (fence.size === 0) return;
    try {
      await core.catalog.commit([], guards);
    } catch (error) {
      await withdrawTunnels(core, change, before);
      throw error;
    }
    return;
  }
  await core.catalog.commit(writes, guards);
  try {
    await core.registry.apply(registry, fence);
  } catch (error) {
    await withdrawRows(core, change, before, keys);
    throw error;
  }
}

/** Gives back automatic reservations that have no user any more. Never throws: what stays is found by the sweep. */
export async function release(core: Core, ids: Iterable<string>, keys: GuardedKeys): Promise<readonly Released[]> {
  const due = [...ids];
  try {
    return await repeated(core, async () => {
      const asOf = core.catalog.revision;
      const change = await releaseOf(core, due);
      if (change.answer.length > 0) await hold(core, change, await look(core, change), keys, asOf);
      return change.answer;
    });
  } catch (error) {
    core.log.warn({ error: messageOf(error) }, 'unused reservations could not be given back yet');
    return [];
  }
}

/** What is written for agents that left, or for an address that another node was faster at, is taken out again. */
async function withdrawRows(core: Core, change: Change, before: Seen, keys: GuardedKeys): Promise<void> {
  const after = await look(core, change);
  await repeated(core, async () => {
    const asOf = core.catalog.revision;
    const { writes } = await inverseOf(core, { change, before, after, released: [] });
    await core.catalog.commit(writes, { ...keys, asOf });
  });
  const reserved = change.writes.filter(({ table }) => table === 'reservedDomains' || table === 'reservedAddrs');
  await release(core, reserved.map(idOf), keys);
}

/** Nobody has been told yet, so that what gave way comes back too, unless somebody else is there by now. */
async function withdrawTunnels(core: Core, change: Change, before: Seen): Promise<void> {
  const made = new Set<string>();
  const out: RegistryChange[] = [];
  const back: RegistryChange[] = [];
  for (const step of change.registry) {
    if (step.op !== 'put') continue;
    made.add(step.tunnel.id);
    out.push({ op: 'remove', id: step.tunnel.id });
  }
  for (const tunnel of before.tunnels.values()) {
    if ((await core.registry.getSession(tunnel.sessionId)) !== null) back.push({ op: 'put', tunnel });
  }
  const addresses = [...before.tunnels.values()].flatMap(({ endpoint, accountId }) =>
    endpoint === null ? [] : [addressKey({ ...endpoint, accountId })],
  );
  const now = await core.registry.snapshot(addresses);
  const ours = [...now.values()].flat().every(({ id }) => made.has(id) || before.tunnels.has(id));
  try {
    await core.registry.apply(ours ? [...out, ...back] : out, ours ? now : UNFENCED);
  } catch (error) {
    if (!(error instanceof Overtaken || error instanceof SessionGone)) throw error;
    await core.registry.apply(out, UNFENCED);
  }
}
