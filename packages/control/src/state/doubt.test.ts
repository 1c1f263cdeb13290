import { StoreUnavailable, type Store } from '@postern/store';
import { expect, test } from 'vitest';
import { POLICY, useStore } from '../testing/harness.ts';

const harness = useStore();

/** A store whose disk hangs: a write may happen although nobody hears of it, and nothing can be read meanwhile. */
function hanging(store: Store) {
  const state = { silent: false, applies: true };
  const refuseRead = () => Promise.reject(new StoreUnavailable('silent'));
  const tampered: Store = {
    ...store,
    get health() {
      return store.health;
    },
    async commit(writes) {
      if (!state.silent) return store.commit(writes);
      if (state.applies) await store.commit(writes);
      throw new StoreUnavailable('silent', 'unknown');
    },
    all: (table) => (state.silent ? refuseRead() : store.all(table)),
  };
  return { state, tampered };
}

async function withHangingStore() {
  let found: ReturnType<typeof hanging> | undefined;
  const made = await harness({}, (store) => {
    found = hanging(store);
    return found.tampered;
  });
  if (found === undefined) throw new Error('the store was not asked for');
  return { ...made, state: found.state };
}

const input = (url: string) => ({ url, trafficPolicy: POLICY });

test.each([true, false])('a write whose end nobody heard of is looked up (it happened: %s)', async (applies) => {
  const { control, caller, edge, state } = await withHangingStore();
  const { endpoints } = control.api;
  state.silent = true;
  state.applies = applies;
  await expect(endpoints.create(caller, input('https://doubt.example.test'))).rejects.toMatchObject({
    name: 'StoreUnavailable',
    applied: 'unknown',
  });
  // Until it is known what is there, nothing is decided on it.
  await expect(endpoints.create(caller, input('https://doubt.example.test'))).rejects.toMatchObject({
    name: 'StoreUnavailable',
    applied: 'no',
  });
  state.silent = false;
  await expect
    .poll(() =>
      endpoints.create(caller, input('https://after.example.test')).then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);

  const { items } = await endpoints.list(caller, { limit: 10 });
  const urls = ['https://after.example.test', ...(applies ? ['https://doubt.example.test'] : [])];
  expect(items.map(({ url }) => url)).toEqual(urls);
  expect(edge.urls()).toEqual(urls);
  const again = endpoints.create(caller, input('https://doubt.example.test'));
  if (applies) await expect(again).rejects.toMatchObject({ code: 'ERR_NGROK_18017' });
  else await again;
});

test('a delete whose end nobody heard of takes its route along', async () => {
  const { control, caller, edge, state } = await withHangingStore();
  const { endpoints } = control.api;
  const { id } = await endpoints.create(caller, input('https://goes.example.test'));
  await endpoints.create(caller, input('https://stays.example.test'));
  state.silent = true;
  await expect(endpoints.remove(caller, id)).rejects.toMatchObject({ applied: 'unknown' });
  expect(edge.urls()).toHaveLength(2);
  state.silent = false;
  await expect.poll(() => edge.urls()).toEqual(['https://stays.example.test']);
  expect(await endpoints.get(caller, id)).toBeNull();
});
