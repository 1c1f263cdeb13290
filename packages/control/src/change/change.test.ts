/** What the edges refuse leaves everything as it was, down to the ids of the reservations that it moved. */
import * as fc from 'fast-check';
import { isPosternError } from '@postern/errors';
import type { AgentSessionAccepted } from '@postern/link';
import type { TableName } from '@postern/store';
import { describe, expect, test } from 'vitest';
import { CONFIG, POLICY, useStore, type Harness } from '../testing/harness.ts';

const open = useStore();
const BUSY = 20_003;
const TABLES: readonly TableName[] = ['endpoints', 'edges', 'edgeRoutes', 'reservedAddrs', 'reservedDomains'];

async function everything(h: Harness) {
  const rows = await Promise.all(TABLES.map((table) => h.store.all(table)));
  const { items: endpoints } = await h.control.api.endpoints.list(h.caller, { limit: 100 });
  const { items: tunnels } = await h.control.api.tunnels.list(h.caller, { limit: 100 });
  const byId = (one: { readonly id: string }, other: { readonly id: string }): number => (one.id < other.id ? -1 : 1);
  return { rows, endpoints, tunnels, routes: [...h.edge.routes.values()].toSorted(byId) };
}

const tcp = (port: number): string => `tcp://localhost:${port}`;

async function refused(h: Harness, work: () => Promise<unknown>): Promise<void> {
  const before = await everything(h);
  await expect(work()).rejects.toMatchObject({ number: 90_027 });
  expect(await everything(h)).toEqual(before);
}

describe('refused by the edge', () => {
  test('a cloud endpoint that is made, and one that moves and had its reservation to itself', async () => {
    const h = await open();
    const { endpoints } = h.control.api;
    const { id } = await endpoints.create(h.caller, { url: tcp(20_001), trafficPolicy: POLICY, metadata: 'm' });
    h.edge.busyPorts.add(BUSY);
    await refused(h, () => endpoints.create(h.caller, { url: tcp(BUSY), trafficPolicy: POLICY }));
    h.advance(5_000);
    await refused(h, () => endpoints.update(h.caller, id, { url: tcp(BUSY), metadata: 'other' }));
  });

  test('an edge that is made, and one whose hostports change', async () => {
    const h = await open();
    const { edges } = h.control.api;
    const { id } = await edges.create(h.caller, 'tcp', { hostports: ['localhost:20001', 'localhost:20002'] });
    h.edge.busyPorts.add(BUSY);
    await refused(h, () => edges.create(h.caller, 'tcp', { hostports: [`localhost:${BUSY}`, 'localhost:20004'] }));
    await refused(h, () => edges.update(h.caller, 'tcp', id, { hostports: ['localhost:20002', `localhost:${BUSY}`] }));
  });

  test('an agent endpoint that is bound, changed, and named by a second listener', async () => {
    const h = await open();
    const session = await h.connect();
    const bound = await h.bind(session, { addr: 'localhost:20001' }, { proto: 'tcp', metadata: 'm' });
    h.edge.busyPorts.add(BUSY).add(20_001);
    await refused(h, () => h.bind(session, { addr: `localhost:${BUSY}` }, { proto: 'tcp' }));
    const patch = { tunnelId: bound.tunnelId, metadata: 'other', poolingEnabled: true };
    await refused(h, () => h.link.patchTunnel(session.sessionId, patch));
  });
});

describe('while the edge thinks about it', () => {
  /** A cloud endpoint at 20001 that is asked to move to a busy port, and what others do before the answer. */
  async function moving(meanwhile: (h: Harness, id: string) => Promise<unknown>) {
    const h = await open({ limits: { ...CONFIG.limits, applyMs: 10_000 } });
    const { endpoints } = h.control.api;
    const { id } = await endpoints.create(h.caller, { url: tcp(20_001), trafficPolicy: POLICY, metadata: 'm' });
    h.edge.busyPorts.add(BUSY);
    const gate = Promise.withResolvers<void>();
    h.edge.gate = gate.promise;
    const moved = endpoints.update(h.caller, id, { url: tcp(BUSY) });
    const answered = expect(moved).rejects.toMatchObject({ number: 90_027 });
    await expect.poll(() => h.edge.updates.at(-1)?.upserts[0]?.port).toBe(BUSY);
    const before = await everything(h);
    const other = meanwhile(h, id);
    // Both are decided, and wait for the edge in the order in which they came.
    await expect.poll(() => everything(h)).not.toEqual(before);
    h.edge.gate = null;
    gate.resolve();
    await answered;
    await Promise.allSettled([other]);
    return { h, id, other };
  }

  test('a second change on top of it is refused as well, and both are taken back', async () => {
    const { h, id } = await moving((on, row) => on.control.api.endpoints.update(on.caller, row, { metadata: 'later' }));
    const row = await h.control.api.endpoints.get(h.caller, id);
    expect([row?.url, row?.metadata]).toEqual([tcp(20_001), 'm']);
  });

  test('an address that somebody took has one holder', async () => {
    const { h, id } = await moving(async (on) =>
      on.bind(await on.connect(), { addr: 'localhost:20001' }, { proto: 'tcp' }),
    );
    const { items } = await h.control.api.endpoints.list(h.caller, { limit: 10 });
    expect(items.filter(({ publicUrl }) => publicUrl === tcp(20_001)).map(({ type }) => type)).toEqual(['ephemeral']);
    expect([...h.edge.routes.values()].map(({ kind, port }) => [kind, port])).toContainEqual(['agent', 20_001]);
    expect(items.some((item) => item.id === id)).toBe(true);
  });

  test('what is deleted stays deleted, and its reservations with it', async () => {
    const { h, id } = await moving((on, row) => on.control.api.endpoints.remove(on.caller, row));
    expect(await h.control.api.endpoints.get(h.caller, id)).toBeNull();
    expect(await h.store.all('reservedAddrs')).toEqual([]);
    expect(h.edge.urls()).toEqual([]);
  });
});

describe('another node is faster', () => {
  /** The next commit of the store takes as long as another node needs to bind `host` to an agent of its own. */
  async function withRival(host: string) {
    let h: Harness | undefined;
    let due = false;
    const made = await open({}, (store) => ({
      ...store,
      get health() {
        return store.health;
      },
      async commit(writes) {
        if (due) {
          due = false;
          await bindElsewhere();
        }
        return store.commit(writes);
      },
    }));
    async function bindElsewhere() {
      const [mine] = (await h?.registry.tunnelsOf(h.caller.accountId)) ?? [];
      const session = mine === undefined ? null : await h?.registry.getSession(mine.sessionId);
      if (h === undefined || mine?.endpoint == null || session == null) throw new Error('there is nothing to copy');
      const elsewhere = await h.cluster.join('n2');
      const there = { ...session, id: 'ts_other', node: elsewhere.node, clientId: 'other', ip: '10.9.9.9' };
      await elsewhere.addSession(there);
      const endpoint = { ...mine.endpoint, id: 'ep_other', host, url: `https://${host}`, publicUrl: `https://${host}` };
      const tunnel = { ...mine, id: 'tn_other', bindId: 'ep_other', sessionId: there.id, endpoint };
      await elsewhere.apply([{ op: 'put', tunnel }], new Map());
    }
    h = made;
    await made.bind(await made.connect(), { domain: 'mine.example.test' });
    due = true;
    return made;
  }

  test('a cloud endpoint is decided anew, refused, and nothing of it is kept', async () => {
    const h = await withRival('new.example.test');
    const made = h.control.api.endpoints.create(h.caller, { url: 'https://new.example.test', trafficPolicy: POLICY });
    await expect(made).rejects.toMatchObject({ number: 18_017 });
    expect(await h.store.all('endpoints')).toEqual([]);
    expect(h.edge.urls()).toEqual(['https://mine.example.test']);
  });

  test('an edge is decided anew, refused, and not there', async () => {
    const h = await withRival('new.example.test');
    const made = h.control.api.edges.create(h.caller, 'https', { hostports: ['new.example.test:443'] });
    await expect(made).rejects.toMatchObject({ number: 90_020 });
    expect(await h.store.all('edges')).toEqual([]);
    expect(h.edge.urls()).toEqual(['https://mine.example.test']);
  });

  test('an agent is decided anew, and refused', async () => {
    const h = await withRival('new.example.test');
    const bound = h.bind(await h.connect({}, '10.0.0.2'), { domain: 'new.example.test' });
    await expect(bound).rejects.toMatchObject({ number: 334 });
    expect(h.edge.urls()).toEqual(['https://mine.example.test']);
  });
});

const port = fc.constantFrom(20_001, 20_002, BUSY);
const act = fc.record({
  kind: fc.constantFrom('create', 'move', 'remove', 'bind', 'edge', 'move edge', 'leave'),
  port,
});

async function doAct(h: Harness, session: AgentSessionAccepted, { kind, port: at }: { kind: string; port: number }) {
  const { endpoints, edges } = h.control.api;
  const [cloud] = (await endpoints.list(h.caller, { limit: 100 })).items.filter(({ type }) => type === 'cloud');
  const [edge] = (await edges.list(h.caller, 'tcp', { limit: 100 })).items;
  const hostports = [`localhost:${at}`];
  if (kind === 'create') await endpoints.create(h.caller, { url: tcp(at), trafficPolicy: POLICY });
  else if (kind === 'move' && cloud !== undefined) await endpoints.update(h.caller, cloud.id, { url: tcp(at) });
  else if (kind === 'remove' && cloud !== undefined) await endpoints.remove(h.caller, cloud.id);
  else if (kind === 'bind') await h.bind(session, { addr: `localhost:${at}` }, { proto: 'tcp' });
  else if (kind === 'edge') await edges.create(h.caller, 'tcp', { hostports });
  else if (kind === 'move edge' && edge !== undefined) await edges.update(h.caller, 'tcp', edge.id, { hostports });
  else if (kind === 'leave') await h.link.sessionEnded(session.sessionId, 'gone');
}

test('whatever is done at once and refused: one holder each, and reservations have users', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 2, maxLength: 12 }), async (acts) => {
      const h = await open();
      h.edge.busyPorts.add(BUSY);
      const sessions = await Promise.all([h.connect(), h.connect({}, '10.0.0.2')]);
      await Promise.all(
        acts.map(async (one, index) => {
          const session = sessions[index % 2];
          if (session === undefined) return;
          await doAct(h, session, one).catch((error: unknown) => {
            if (!isPosternError(error)) throw error;
          });
        }),
      );
      const { items } = await h.control.api.endpoints.list(h.caller, { limit: 100 });
      const ports = items.map(({ publicUrl }) => Number(publicUrl.split(':').at(-1)));
      expect(new Set(ports).size).toBe(ports.length);
      const routed = [...h.edge.routes.keys()];
      // What could not go back, because its old address is taken by now, is where the edge cannot have it.
      const reachable = items.filter((_item, index) => ports[index] !== BUSY).map(({ id }) => id);
      expect(routed.toSorted()).toEqual(reachable.toSorted());
      // What agents had that left is given back in a moment; the sweep stands for that here.
      await h.sweep();
      h.advance(600_000);
      await h.sweep();
      const addrs = await h.store.all('reservedAddrs');
      for (const { tcpAddrId } of items) if (tcpAddrId !== '') expect(addrs.map(({ id }) => id)).toContain(tcpAddrId);
      for (const addr of addrs) expect(ports).toContain(addr.port);
    }),
    { numRuns: 60 },
  );
});
