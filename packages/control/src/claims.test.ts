import { isPosternError } from '@postern/errors';
import { beforeEach, describe, expect, test } from 'vitest';
import { CONFIG, POLICY, useStore, type Harness } from './testing/harness.ts';

const fresh = useStore();
let h: Harness;
beforeEach(async () => {
  h = await fresh();
});

const HOST = 'shared.example.test';

/** Puts something at the host; the result is 0 or the number of the refusal. */
const PUT = {
  cloud: (pooling: boolean) =>
    h.control.api.endpoints.create(h.caller, {
      url: `https://${HOST}`,
      trafficPolicy: POLICY,
      poolingEnabled: pooling,
    }),
  agent: async (pooling: boolean) => {
    // Another machine, so that nobody is suspected of having died.
    const session = await h.connect({}, `10.0.0.${h.edge.updates.length + 1}`);
    return h.bind(session, { domain: HOST }, { poolingEnabled: pooling });
  },
  edge: () => h.control.api.edges.create(h.caller, 'https', { hostports: [`${HOST}:443`] }),
};

async function outcome(work: Promise<unknown>): Promise<number> {
  try {
    await work;
    return 0;
  } catch (error) {
    if (!isPosternError(error)) throw error;
    return error.number;
  }
}

describe('who may join whom on one URL', () => {
  // first, its pooling, second, its pooling, expected
  test.each([
    ['cloud', false, 'cloud', false, 18_017],
    ['cloud', false, 'cloud', true, 18_016],
    ['cloud', true, 'cloud', false, 18_017],
    ['cloud', true, 'cloud', true, 0],
    ['agent', false, 'cloud', false, 18_017],
    ['agent', false, 'cloud', true, 18_016],
    ['agent', true, 'cloud', false, 18_017],
    ['agent', true, 'cloud', true, 0],
    ['edge', false, 'cloud', false, 18_009],
    ['edge', false, 'cloud', true, 18_009],
    ['cloud', false, 'agent', false, 334],
    ['cloud', false, 'agent', true, 6030],
    ['cloud', true, 'agent', false, 334],
    ['cloud', true, 'agent', true, 0],
    ['agent', false, 'agent', false, 334],
    ['agent', false, 'agent', true, 6030],
    ['agent', true, 'agent', false, 334],
    ['agent', true, 'agent', true, 0],
    ['edge', false, 'agent', false, 334],
    ['edge', false, 'agent', true, 334],
    ['cloud', true, 'edge', false, 90_020],
    ['agent', true, 'edge', false, 90_020],
    ['edge', false, 'edge', false, 90_020],
  ] as const)(
    '%s (pooling %s), then %s (pooling %s) → %i',
    async (first, firstPools, second, secondPools, expected) => {
      await PUT[first](firstPools);
      expect(await outcome(PUT[second](secondPools))).toBe(expected);
      const { items } = await h.control.api.endpoints.list(h.caller, { limit: 100 });
      expect(items.length).toBe(expected === 0 ? 2 : 1);
      expect(h.edge.routes.size).toBe(items.length);
    },
  );

  test('pooling may be switched where nobody minds, and not where somebody does', async () => {
    const { endpoints } = h.control.api;
    const alone = await PUT.cloud(true);
    expect(await endpoints.update(h.caller, alone.id, { poolingEnabled: false })).toMatchObject({
      poolingEnabled: false,
    });
    await endpoints.update(h.caller, alone.id, { poolingEnabled: true });
    await PUT.agent(true);
    await expect(endpoints.update(h.caller, alone.id, { poolingEnabled: false })).rejects.toMatchObject({
      number: 18_017,
    });
  });

  test('a wildcard and an exact name, http and https, internal and public do not meet', async () => {
    const urls = ['https://a.example.test', 'https://*.example.test', 'http://a.example.test', 'https://a.internal'];
    for (const url of urls) await h.control.api.endpoints.create(h.caller, { url, trafficPolicy: POLICY });
    expect(h.edge.urls()).toEqual(urls.toSorted((a, b) => (a < b ? -1 : 1)));
  });

  test('simultaneous claims on one address: one wins', async () => {
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, turn) => outcome(turn % 2 === 0 ? PUT.cloud(false) : PUT.agent(false))),
    );
    expect(results.filter((number) => number === 0).length).toBe(1);
    expect(h.edge.routes.size).toBe(1);
  });
});

test('a stuck update fails alone, and is taken back', async () => {
  const quick = await fresh({ limits: { ...CONFIG.limits, sessions: 10, endpointsPerSession: 10, applyMs: 1_000 } });
  const create = (url: string) => quick.control.api.endpoints.create(quick.caller, { url, trafficPolicy: POLICY });
  const gate = Promise.withResolvers<void>();
  quick.edge.gate = gate.promise;
  // Asked for at once, and more updates may be there: a busy machine may look when it has been refused already.
  const refused = expect(create('https://stuck.example.test')).rejects.toMatchObject({ number: 90_027 });
  await expect.poll(() => quick.edge.updates.length).toBeGreaterThan(1);
  quick.edge.gate = null;
  const next = create('https://next.example.test');
  await refused;
  expect(await next).toMatchObject({ url: 'https://next.example.test' });
  gate.resolve();
  const { items } = await quick.control.api.endpoints.list(quick.caller, { limit: 10 });
  expect(items.map(({ url }) => url)).toEqual(['https://next.example.test']);
});
