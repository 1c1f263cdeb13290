/** Carries changes out (`value.ts`): what routes and reservations follow, and how each is taken back, is worked out here. */
import { Overtaken, type Snapshot } from '@postern/registry';
import type { Core } from '../core.ts';
import { type Keys, withKeys } from '../gate/keys.ts';
import { giveBack } from '../give-back.ts';
import { messageOf } from './confirm.ts';
import { type Applied, inverseOf } from './inverse.ts';
import { idOf, look, reservationsUnder, routesBetween } from './touched.ts';
import type { Change, Decision, Done, Held } from './value.ts';

/** Another node may be faster that often. */
const ATTEMPTS = 16;
const UNFENCED: Snapshot = new Map();

export type KeysOf = (keys: Keys) => Keys | Promise<Keys>;

/** A step that needs everything for itself. */
export const ALONE = 'alone';

/**
 * Holds the keys, asks `decide`, and carries out what it came to. `decide` reads and touches nothing; what it throws
 * leaves everything as it was.
 */
export async function run<T>(
  core: Core,
  needed: KeysOf | typeof ALONE,
  decide: () => Promise<Decision<T>>,
): Promise<Done<T>> {
  const step = async (): Promise<Done<T>> => {
    const decision = await decide();
    return { ...(await carryOut(core, decision)), answer: decision.answer };
  };
  for (let left = ATTEMPTS - 1; ; left -= 1) {
    try {
      return await (needed === ALONE ? core.claims.runAlone(step) : withKeys(core, needed, step));
    } catch (error) {
      if (!(error instanceof Overtaken) || left === 0) throw error;
    }
  }
}

/** For whoever is in a step already and holds the keys. */
export async function carryOut(core: Core, change: Change): Promise<Held> {
  const before = await look(core, change);
  const freed = reservationsUnder(core, before);
  await core.catalog.commit(change.writes);
  try {
    await core.registry.apply(change.registry, change.fence ?? UNFENCED);
  } catch (error) {
    await withdraw(core, { change, before, after: await look(core, change), released: [] });
    throw error;
  }
  change.tell?.();
  const after = await look(core, change);
  const released = change.givesBackLater === true ? [] : await giveBack(core, freed);
  const online = core.edges.publish(await routesBetween(core, before, after));
  const applied: Applied = { change, before, after, released };
  return { online, undo: () => core.claims.runAlone(() => takeBack(core, applied)) };
}

/** What is written for agents that left, or for an address that another node was faster at, is taken out again. */
async function withdraw(core: Core, applied: Applied): Promise<void> {
  const { writes } = await inverseOf(core, applied);
  await core.catalog.commit(writes);
  const reserved = applied.change.writes.filter(
    ({ table }) => table === 'reservedDomains' || table === 'reservedAddrs',
  );
  await giveBack(core, reserved.map(idOf));
}

/** The edges have to take this one; whoever waits for the change is told of its refusal, and not later than now. */
async function takeBack(core: Core, applied: Applied): Promise<void> {
  const { online } = await carryOut(core, await inverseOf(core, applied));
  online.catch((error: unknown) => {
    core.log.error({ error: messageOf(error) }, 'the edge did not take the undo of a change either');
  });
}
