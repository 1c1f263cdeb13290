/** Claims side by side: what many callers do at once must come to what they could have done one after the other. */
import * as fc from 'fast-check';
import { isPosternError } from '@postern/errors';
import type { AgentSessionAccepted } from '@postern/link';
import type { Store } from '@postern/store';
import { expect, test } from 'vitest';
import { POLICY, useStore, type Harness } from '../testing/harness.ts';

const open = useStore();
const HOSTS = ['a.example.test', 'b.example.test', '*.example.test'] as const;

type Act =
  | { readonly kind: 'create' | 'bind'; readonly host: (typeof HOSTS)[number]; readonly pooling: boolean }
  | { readonly kind: 'move'; readonly host: (typeof HOSTS)[number] }
  | { readonly kind: 'remove' | 'leave' | 'unbind' | 'bind any' | 'reserve' };

const host = fc.constantFrom(...HOSTS);
const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ kind: fc.constantFrom('create' as const, 'bind' as const), host, pooling: fc.boolean() }),
  fc.record({ kind: fc.constant('move' as const), host }),
  fc.record({
    kind: fc.constantFrom(
      'remove' as const,
      'leave' as const,
      'unbind' as const,
      'bind any' as const,
      'reserve' as const,
    ),
  }),
);

/** Refusals are answers; anything else is a mistake. */
async function answered(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isPosternError(error)) throw error;
  }
}

async function doAct(h: Harness, session: AgentSessionAccepted, one: Act): Promise<void> {
  const { endpoints, reservedDomains } = h.control.api;
  const cloud = async () => {
    const { items } = await endpoints.list(h.caller, { limit: 100 });
    return items.find(({ type }) => type === 'cloud');
  };
  switch (one.kind) {
    case 'create':
      await endpoints.create(h.caller, {
        url: `https://${one.host}`,
        trafficPolicy: POLICY,
        poolingEnabled: one.pooling,
      });
      return;
    case 'move': {
      const row = await cloud();
      if (row !== undefined) await endpoints.update(h.caller, row.id, { url: `https://${one.host}` });
      return;
    }
    case 'remove': {
      const row = await cloud();
      if (row !== undefined) await endpoints.remove(h.caller, row.id);
      return;
    }
    case 'bind':
      await h.bind(session, { url: `https://${one.host}` }, { poolingEnabled: one.pooling });
      return;
    case 'bind any':
      await h.bind(session, {}, { proto: 'tcp' });
      return;
    case 'unbind': {
      const bound = await h.bind(session, {}, {});
      await h.link.unbind(session.sessionId, bound.id);
      return;
    }
    case 'leave':
      await h.link.sessionEnded(session.sessionId, 'gone');
      return;
    case 'reserve':
      await reservedDomains.create(h.caller, { domain: 'b.example.test' });
      return;
  }
}

test('whatever is done at once, one holds an address, and the edge routes to what is there', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 2, maxLength: 14 }), async (acts) => {
      const h = await open();
      const sessions = await Promise.all([h.connect(), h.connect({}, '10.0.0.2'), h.connect({}, '10.0.0.3')]);
      await Promise.all(
        acts.map((one, index) => {
          const session = sessions[index % sessions.length];
          return session === undefined ? Promise.resolve() : answered(doAct(h, session, one));
        }),
      );
      const { items } = await h.control.api.endpoints.list(h.caller, { limit: 100 });
      const routed = new Map([...h.edge.routes.values()].map((route) => [route.id, route.url]));
      expect([...routed.keys()].toSorted()).toEqual(items.map(({ id }) => id).toSorted());
      const alone = items.filter(({ poolingEnabled }) => !poolingEnabled).map(({ publicUrl }) => publicUrl);
      expect(new Set(alone).size).toBe(alone.length);
      for (const url of alone) expect(items.filter(({ publicUrl }) => publicUrl === url)).toHaveLength(1);
      // Every endpoint that says what it rests on rests on something that is there.
      const domains = await h.control.api.reservedDomains.list(h.caller, { limit: 100 });
      const addrs = await h.control.api.reservedAddrs.list(h.caller, { limit: 100 });
      const reserved = new Set([...domains.items, ...addrs.items].map(({ id }) => id));
      for (const { domainId, tcpAddrId } of items) {
        if (domainId !== '') expect(reserved).toContain(domainId);
        if (tcpAddrId !== '') expect(reserved).toContain(tcpAddrId);
      }
    }),
    { numRuns: 60 },
  );
});

function gated(store: Store) {
  const state = { waiting: 0, open: Promise.withResolvers<void>(), hung: false };
  const tampered: Store = {
    ...store,
    get health() {
      return store.health;
    },
    async commit(writes) {
      if (state.hung) {
        state.waiting += 1;
        await state.open.promise;
      }
      return store.commit(writes);
    },
  };
  return { state, tampered };
}

async function withGate() {
  let found: ReturnType<typeof gated> | undefined;
  const made = await open({}, (store) => {
    found = gated(store);
    return found.tampered;
  });
  if (found === undefined) throw new Error('the store was not asked for');
  return { ...made, state: found.state };
}

test('creates of different names are at the disk together, so that they share its syncs', async () => {
  const { control, caller, state, edge } = await withGate();
  state.hung = true;
  const made = Array.from({ length: 20 }, (_none, index) =>
    control.api.endpoints.create(caller, { url: `https://n${index}.example.test`, trafficPolicy: POLICY }),
  );
  await expect.poll(() => state.waiting).toBe(20);
  state.hung = false;
  state.open.resolve();
  await Promise.all(made);
  expect(edge.urls()).toHaveLength(20);
});

test('while the disk hangs, agents leave and unbind, and nobody is sent to them', async () => {
  const h = await withGate();
  const leaving = await h.connect();
  const staying = await h.connect({}, '10.0.0.2');
  await h.bind(leaving, { url: 'https://leaves.example.test' });
  const bound = await h.bind(staying, { url: 'https://unbinds.example.test' });
  await h.bind(staying, { url: 'https://stays.example.test' });
  h.state.hung = true;
  const stuck = h.control.api.endpoints.create(h.caller, { url: 'https://x.example.test', trafficPolicy: POLICY });
  const alsoStuck = h.bind(await h.connect({}, '10.0.0.3'), { url: 'https://y.example.test' });
  await expect.poll(() => h.state.waiting).toBe(2);
  await h.link.sessionEnded(leaving.sessionId, 'gone');
  expect(h.edge.urls()).toEqual(['https://stays.example.test', 'https://unbinds.example.test']);
  await h.link.unbind(staying.sessionId, bound.id);
  expect(h.edge.urls()).toEqual(['https://stays.example.test']);
  h.state.hung = false;
  h.state.open.resolve();
  await Promise.all([stuck, alsoStuck]);
});
