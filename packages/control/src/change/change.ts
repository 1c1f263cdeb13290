/** Carries changes out (`value.ts`): what routes and reservations follow, and how each is taken back, is worked out here. */
import type { Core } from '../core.ts';
import { type Keys, withKeys } from '../gate/keys.ts';
import { messageOf } from './confirm.ts';
import { EVERYTHING, type GuardedKeys, hold, release, repeated } from './hold.ts';
import { type Applied, inverseOf } from './inverse.ts';
import { look, reservationsUnder, routesBetween } from './touched.ts';
import type { Change, Decision, Done, Held } from './value.ts';

export type KeysOf = (keys: Keys) => Keys | Promise<Keys>;

/** A step that needs everything for itself. */
export const ALONE = 'alone';

/**
 * Holds the keys, asks `decide`, and carries out what it came to. `decide` reads and touches nothing; what it throws
 * leaves everything as it was. The keys keep the steps of this node apart; that nobody else has been at them since is
 * asked of the store and of the registry as they take the change, and where somebody was, it is decided anew.
 */
export async function run<T>(
  core: Core,
  needed: KeysOf | typeof ALONE,
  decide: () => Promise<Decision<T>>,
): Promise<Done<T>> {
  const step = async (keys: GuardedKeys): Promise<Done<T>> => {
    const asOf = core.catalog.revision;
    const decision = await decide();
    return { ...(await carryOut(core, decision, keys, asOf)), answer: decision.answer };
  };
  return repeated(core, () =>
    needed === ALONE ? core.claims.runAlone(() => step(EVERYTHING)) : withKeys(core, needed, step),
  );
}

/** Takes a session out for whoever is in a step already and holds its keys: nothing is written, so nothing is guarded. */
export function carryOutUnwritten(core: Core, change: Change & { readonly writes: readonly [] }): Promise<Held> {
  return carryOut(core, change, NO_KEYS, core.catalog.revision);
}

const NO_KEYS: GuardedKeys = { alone: [], shared: [] };

async function carryOut(core: Core, change: Change, keys: GuardedKeys, asOf: number): Promise<Held> {
  const before = await look(core, change);
  const freed = reservationsUnder(core, before);
  await hold(core, change, before, keys, asOf);
  change.tell?.();
  const after = await look(core, change);
  const released = change.givesBackLater === true ? [] : await release(core, freed, keys);
  const online = core.edges.publish(await routesBetween(core, before, after));
  const applied: Applied = { change, before, after, released };
  return { online, undo: () => takeBack(core, applied) };
}

/** The edges have to take this one; whoever waits for the change is told of its refusal, and not later than now. */
async function takeBack(core: Core, applied: Applied): Promise<void> {
  const { online } = await run(core, ALONE, async () => ({ ...(await inverseOf(core, applied)), answer: null }));
  online.catch((error: unknown) => {
    core.log.error({ error: messageOf(error) }, 'the edge did not take the undo of a change either');
  });
}
