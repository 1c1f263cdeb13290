/**
 * Two nodes on one store and one registry, each with locks and mirrors of its own: nothing but what the store and the
 * registry ask of a change keeps them apart.
 */
import * as fc from 'fast-check';
import { isPosternError } from '@postern/errors';
import type { AgentSessionAccepted } from '@postern/link';
import { addressKey } from '@postern/registry';
import { describe, expect, test } from 'vitest';
import { POLICY, useStore, type Harness } from '../testing/harness.ts';

const open = useStore();

async function twoNodes(): Promise<readonly [Harness, Harness]> {
  const one = await open();
  return [one, await one.beside()];
}

/** Nodes hear of each other's rows when they commit themselves, and lists may be late until then. */
async function heardOf(h: Harness, id: string): Promise<void> {
  await h.control.api.endpoints.create(h.caller, { url: 'https://own.example.test', trafficPolicy: POLICY });
  await expect.poll(() => h.control.api.endpoints.get(h.caller, id)).not.toBeNull();
}

const refusal = (reason: unknown): unknown => (isPosternError(reason) ? reason.number : reason);

describe('what another node has done is seen when it matters', () => {
  test('one URL is made on both at once: one has it, the other is told who', async () => {
    const nodes = await twoNodes();
    const made = await Promise.allSettled(
      nodes.map((h) =>
        h.control.api.endpoints.create(h.caller, { url: 'https://a.example.test', trafficPolicy: POLICY }),
      ),
    );
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(made.flatMap((one) => (one.status === 'rejected' ? [refusal(one.reason)] : []))).toEqual([18_017]);
    expect(await nodes[0].store.all('endpoints')).toHaveLength(1);
    expect(await nodes[0].store.all('reservedDomains')).toHaveLength(1);
  });

  test('a twin scheme, a wildcard and a name below it, a row that is gone', async () => {
    const [one, other] = await twoNodes();
    const create = (h: Harness, url: string) =>
      h.control.api.endpoints.create(h.caller, { url, trafficPolicy: POLICY });
    const { id } = await create(one, 'https://a.example.test');
    await expect(create(other, 'tls://a.example.test')).rejects.toMatchObject({ number: 18_017 });
    const { id: wildcard } = await one.control.api.reservedDomains.create(one.caller, { domain: '*.b.example.test' });
    const below = await create(other, 'https://deep.b.example.test');
    expect(below.domainId).toBe(wildcard);
    await heardOf(other, id);
    await one.control.api.endpoints.remove(one.caller, id);
    const { endpoints } = other.control.api;
    expect(await endpoints.update(other.caller, id, { metadata: 'late' })).toBeNull();
    expect(await endpoints.remove(other.caller, id)).toBe(false);
    expect((await create(other, 'https://a.example.test')).url).toBe('https://a.example.test');
  });

  test('two updates of one row do not undo each other', async () => {
    const [one, other] = await twoNodes();
    const input = { url: 'https://a.example.test', trafficPolicy: POLICY };
    const { id } = await one.control.api.endpoints.create(one.caller, input);
    await heardOf(other, id);
    await Promise.all([
      one.control.api.endpoints.update(one.caller, id, { metadata: 'm' }),
      other.control.api.endpoints.update(other.caller, id, { description: 'd' }),
    ]);
    expect(await one.store.endpoints.get(id)).toMatchObject({ metadata: 'm', description: 'd' });
  });

  test('an agent takes an address without a write: a cloud endpoint that is there by now stands in its way', async () => {
    const [one, other] = await twoNodes();
    const session = await other.connect();
    await one.control.api.reservedDomains.create(one.caller, { domain: 'a.example.test' });
    // The other node reads what there is, and does not hear of what comes then.
    await other.bind(session, { domain: 'unrelated.example.test' });
    await one.control.api.endpoints.create(one.caller, { url: 'https://a.example.test', trafficPolicy: POLICY });
    const bound = other.bind(session, { domain: 'a.example.test' });
    await expect(bound).rejects.toMatchObject({ number: 334 });
    const key = addressKey({ scheme: 'https', host: 'a.example.test', port: 443, binding: 'public', accountId: '' });
    expect(await one.registry.holdersOf(key)).toEqual([]);
  });

  test('an agent that would give way keeps its address when the newcomer turns out to be refused', async () => {
    const [one, other] = await twoNodes();
    const away = await other.connect();
    const held = await other.bind(away, { domain: 'a.example.test' }, { poolingEnabled: true });
    await one.control.api.endpoints.create(one.caller, {
      url: 'https://a.example.test',
      trafficPolicy: POLICY,
      poolingEnabled: true,
    });
    const back = await other.connect();
    // Alone it may take its own endpoint over by token; next to the cloud endpoint, which shares, it may not.
    const request = { id: held.id, token: held.token, poolingEnabled: false };
    await expect(other.bind(back, { domain: 'a.example.test' }, request)).rejects.toMatchObject({ number: 334 });
    expect(await other.registry.getTunnel(held.tunnelId)).toMatchObject({ sessionId: away.sessionId });
    expect(other.edge.stopped).toEqual([]);
  });
});

const HOSTS = ['a.example.test', 'b.example.test', '*.example.test'] as const;
const act = fc.record({
  node: fc.constantFrom(0, 1),
  kind: fc.constantFrom('create', 'move', 'remove', 'bind', 'bind port', 'leave', 'reserve', 'edge'),
  host: fc.constantFrom(...HOSTS),
  pooling: fc.boolean(),
});
type Act = typeof act extends fc.Arbitrary<infer A> ? A : never;

async function doAct(h: Harness, session: AgentSessionAccepted, { kind, host, pooling }: Act): Promise<void> {
  const { endpoints, reservedDomains, edges } = h.control.api;
  const url = `https://${host}`;
  const cloud = async () => (await endpoints.list(h.caller, { limit: 100 })).items.find(({ type }) => type === 'cloud');
  if (kind === 'create') await endpoints.create(h.caller, { url, trafficPolicy: POLICY, poolingEnabled: pooling });
  else if (kind === 'bind') await h.bind(session, { url }, { poolingEnabled: pooling });
  else if (kind === 'bind port') await h.bind(session, { addr: 'localhost:20001' }, { proto: 'tcp' });
  else if (kind === 'leave') await h.link.sessionEnded(session.sessionId, 'gone');
  else if (kind === 'reserve') await reservedDomains.create(h.caller, { domain: host });
  else if (kind === 'edge') await edges.create(h.caller, 'https', { hostports: [`${host}:443`] });
  else {
    const row = await cloud();
    if (row === undefined) return;
    if (kind === 'move') await endpoints.update(h.caller, row.id, { url });
    else await endpoints.remove(h.caller, row.id);
  }
}

test('whatever two nodes do at once, an address has one holder or a pool, and rests on what is there', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 2, maxLength: 12 }), async (acts) => {
      const nodes = await twoNodes();
      const sessions = await Promise.all(nodes.map((h, index) => h.connect({}, `10.0.0.${index + 1}`)));
      await Promise.all(
        acts.map(async (one) => {
          const [h, session] = [nodes[one.node], sessions[one.node]];
          if (h === undefined || session === undefined) return;
          await doAct(h, session, one).catch((error: unknown) => {
            if (!isPosternError(error)) throw error;
          });
        }),
      );
      const { store, registry, caller } = nodes[0];
      const clouds = await store.all('endpoints');
      const edges = await store.all('edges');
      const tunnels = await registry.tunnelsOf(caller.accountId);
      const holders = [
        ...clouds.map((row) => ({ at: row.host + row.port, shares: row.poolingEnabled, ...row })),
        ...tunnels.flatMap(({ endpoint }) =>
          endpoint === null
            ? []
            : [{ at: endpoint.host + endpoint.port, shares: endpoint.poolingEnabled, ...endpoint }],
        ),
      ];
      const edgeAt = edges.flatMap(({ hostports }) => hostports.map(({ hostport }) => hostport.replace(':', '')));
      expect(new Set(edgeAt).size).toBe(edgeAt.length);
      for (const one of holders) {
        const others = holders.filter(({ at, id }) => at === one.at && id !== one.id);
        if (!one.shares) expect(others).toEqual([]);
        expect(edgeAt).not.toContain(one.at);
      }
      const reserved = new Set(
        [...(await store.all('reservedDomains')), ...(await store.all('reservedAddrs'))].map(({ id }) => id),
      );
      for (const { domainId, tcpAddrId } of holders) {
        if (domainId !== '') expect(reserved).toContain(domainId);
        if (tcpAddrId !== '') expect(reserved).toContain(tcpAddrId);
      }
    }),
    { numRuns: 80 },
  );
}, 120_000);
