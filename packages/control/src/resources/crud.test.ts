import { setTimeout } from 'node:timers/promises';
import type { Store } from '@postern/store';
import { beforeEach, describe, expect, test } from 'vitest';
import { useStore, type Harness } from '../testing/harness.ts';
import type { Caller, ControlApi, ResourceService } from '../types.ts';

const fresh = useStore();
let h: Harness;
let stranger: Caller;
beforeEach(async () => {
  h = await fresh();
  stranger = { ...h.caller, accountId: 'acct_other' };
});

interface Input {
  readonly description?: string;
  readonly metadata?: string;
  readonly name?: string;
  readonly domain?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** What the plain resources have in common. */
type Plain = ResourceService<Input & { readonly id: string }, Input, Input>;

interface Case {
  readonly name: string;
  readonly of: (api: ControlApi) => Plain;
  /** What makes the `index`th row. */
  readonly input: (index: number) => Input;
  /** Numbers of a description and metadata that are too long, and of an update that names nothing. */
  readonly long?: readonly [description: number, metadata: number];
  readonly empty?: number;
}

const CASES: readonly Case[] = [
  { name: 'API keys', of: (api) => api.apiKeys, input: () => ({}), long: [604, 605] },
  { name: 'credentials', of: (api) => api.credentials, input: () => ({}), long: [604, 605], empty: 606 },
  { name: 'bot users', of: (api) => api.botUsers, input: (index) => ({ name: `robot ${index}` }) },
  {
    name: 'reserved domains',
    of: (api) => api.reservedDomains,
    input: (index) => ({ domain: `n${index}.mine.example` }),
    long: [420, 421],
    empty: 422,
  },
  { name: 'reserved addresses', of: (api) => api.reservedAddrs, input: () => ({}), long: [504, 505], empty: 506 },
  {
    name: 'tunnel group backends',
    of: (api) => api.tunnelGroupBackends,
    input: () => ({ labels: { app: 'web' } }),
    long: [18_012, 18_013],
  },
];

/** Leaves an update that does not wait for its turn the time to come first. */
function slowToDelete(store: Store): Store {
  return {
    ...store,
    get health() {
      return store.health;
    },
    async commit(writes) {
      if (writes.some(({ op }) => op === 'delete')) await setTimeout(20);
      return store.commit(writes);
    },
  };
}

describe.each(CASES)('$name', ({ of, input, long, empty }) => {
  test('a row of another account does not exist', async () => {
    const service = of(h.control.api);
    const { id } = await service.create(h.caller, input(0));
    expect(await service.get(stranger, id)).toBeNull();
    expect(await service.list(stranger, { limit: 9 })).toEqual({ items: [], more: false });
    expect(await service.update(stranger, id, input(1))).toBeNull();
    expect(await service.remove(stranger, id)).toBe(false);
    expect(await service.get(h.caller, id)).not.toBeNull();
  });

  test('pages are newest first', async () => {
    const service = of(h.control.api);
    const ids: string[] = [];
    for (const index of [0, 1, 2]) ids.unshift((await service.create(h.caller, input(index))).id);
    const { items, more } = await service.list(h.caller, { limit: 2 });
    expect([items.map(({ id }) => id), more]).toEqual([ids.slice(0, 2), true]);
    const rest = await service.list(h.caller, { limit: 9, beforeId: ids[1] ?? '' });
    expect(rest.items[0]?.id).toBe(ids[2]);
  });

  test('what is being deleted is not there for an update', async () => {
    h = await fresh({}, slowToDelete);
    const service = of(h.control.api);
    const { id } = await service.create(h.caller, input(0));
    const patch = long === undefined ? { name: 'other' } : { description: 'd' };
    expect(await Promise.all([service.remove(h.caller, id), service.update(h.caller, id, patch)])).toEqual([
      true,
      null,
    ]);
  });

  test('an update that names nothing is refused, or changes nothing', async () => {
    const service = of(h.control.api);
    const { id } = await service.create(h.caller, input(0));
    const before = await service.get(h.caller, id);
    const revision = await h.store.revision();
    if (empty === undefined) expect(await service.update(h.caller, id, {})).toEqual(before);
    else await expect(service.update(h.caller, id, {})).rejects.toMatchObject({ number: empty });
    expect(await h.store.revision()).toBe(revision);
  });
});

describe.each(CASES.filter(({ long }) => long !== undefined))('$name', ({ of, input, long }) => {
  test('texts are bounded in bytes, by the numbers of the resource', async () => {
    const service = of(h.control.api);
    const { id } = await service.create(h.caller, { ...input(0), description: 'é'.repeat(127), metadata: 'm' });
    const there = await service.list(h.caller, { limit: 9 });
    const wrong = [{ description: 'é'.repeat(128) }, { metadata: 'é'.repeat(2049) }];
    for (const [index, texts] of wrong.entries()) {
      const number = long?.[index];
      await expect(service.create(h.caller, { ...input(1), ...texts })).rejects.toMatchObject({ number });
      await expect(service.update(h.caller, id, texts)).rejects.toMatchObject({ number });
    }
    expect(await service.list(h.caller, { limit: 9 })).toEqual(there);
  });

  test('updates at once do not undo each other', async () => {
    const service = of(h.control.api);
    const { id } = await service.create(h.caller, input(0));
    await Promise.all([
      service.update(h.caller, id, { description: 'd' }),
      service.update(h.caller, id, { metadata: 'm' }),
    ]);
    expect(await service.get(h.caller, id)).toMatchObject({ description: 'd', metadata: 'm' });
  });
});
