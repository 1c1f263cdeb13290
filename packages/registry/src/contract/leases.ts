/** What nodes may count on that know of each other through the registry alone. */
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  addressKey,
  NodeFenced,
  Overtaken,
  SessionGone,
  type Registry,
  type RegistryChange,
  type Snapshot,
} from '../types.ts';
import { onlineEndpoint, sessionRecord, tunnelRecord } from './records.ts';
import type { RegistryUnderTest } from './under-test.ts';

const UNFENCED: Snapshot = new Map();
const LEASE_MS = 100;
const KEY = addressKey({ scheme: 'https', host: 'a.example', port: 443, binding: 'public', accountId: 'ac_1' });

/** A session of the node, and its claim on the one address that is fought for. */
async function settle(registry: Registry): Promise<RegistryChange> {
  const { node } = registry;
  const sessionId = `ts_${node.id}_${node.epoch}`;
  await registry.addSession(sessionRecord({ id: sessionId, node }));
  const endpoint = onlineEndpoint({ host: 'a.example' });
  return { op: 'put', tunnel: tunnelRecord({ id: `tn_${node.id}_${node.epoch}`, sessionId, endpoint }) };
}

export function describeLeases(name: string, open: (leaseMs: number) => Promise<RegistryUnderTest>): void {
  describe(`${name} keeps the leases of nodes`, () => {
    let under: RegistryUnderTest;
    let one: Registry;
    let other: Registry;
    let claim: RegistryChange;
    beforeEach(async () => {
      under = await open(LEASE_MS);
      one = await under.cluster.join('node-1');
      other = await under.cluster.join('node-2');
      claim = await settle(one);
      await one.apply([claim], UNFENCED);
    });
    afterEach(() => under.dispose());

    const holders = async (registry: Registry): Promise<string[]> =>
      (await registry.holdersOf(KEY)).map(({ id }) => id);

    test('a node says who it is, and for how long without a word', () => {
      expect([one.node, other.node]).toEqual([
        { id: 'node-1', epoch: 1 },
        { id: 'node-2', epoch: 1 },
      ]);
      expect(one.leaseMs).toBe(LEASE_MS);
    });

    test('a session is added by its own node only', async () => {
      await expect(other.addSession(sessionRecord({ id: 'ts_9', node: one.node }))).rejects.toThrow(TypeError);
      expect(await other.getSession('ts_9')).toBeNull();
    });

    test('a lease that is renewed in time holds for ever', async () => {
      for (let turn = 0; turn < 5; turn++) {
        under.advance(LEASE_MS - 1);
        await one.renew();
        expect(await holders(other)).toEqual(['tn_node-1_1']);
      }
    });

    test('when it has ended, the address is free for others, and what the node writes late is refused', async () => {
      const seen = await other.snapshot([KEY]);
      under.advance(LEASE_MS);
      await other.renew();
      const theirs = await settle(other);
      // What was seen before the end is out of date: the holder is another one, namely nobody.
      await expect(other.apply([theirs], seen)).rejects.toThrow(Overtaken);
      expect(await other.sessionsOf('ac_1')).toMatchObject([{ node: other.node }]);
      await other.apply([theirs], await other.snapshot([KEY]));
      expect(await holders(other)).toEqual(['tn_node-2_1']);

      const late = one.snapshot([KEY]).then((fence) => one.apply([claim], fence));
      await expect(late).rejects.toThrow(NodeFenced);
      await expect(one.addSession(sessionRecord({ id: 'ts_late', node: one.node }))).rejects.toThrow(NodeFenced);
      await expect(one.apply([{ op: 'remove', id: 'tn_node-2_1' }], UNFENCED)).rejects.toThrow(NodeFenced);
      await expect(one.renew()).rejects.toThrow(NodeFenced);
      expect(await holders(one)).toEqual(['tn_node-2_1']);
    });

    test('a node that nobody missed has lost nothing', async () => {
      under.advance(10 * LEASE_MS);
      expect(await holders(one)).toEqual(['tn_node-1_1']);
      await one.renew();
      expect(await holders(other)).toEqual(['tn_node-1_1']);
    });

    test('a node that comes back is another one: what it had is gone, and stays so', async () => {
      under.advance(LEASE_MS);
      expect(await holders(other)).toEqual([]);
      const again = await under.cluster.join('node-1');
      expect(again.node).toEqual({ id: 'node-1', epoch: 2 });
      expect(await again.sessionsOf('ac_1')).toEqual([]);
      await expect(again.apply([claim], UNFENCED)).rejects.toThrow(SessionGone);
      await again.apply([await settle(again)], UNFENCED);
      expect(await holders(other)).toEqual(['tn_node-1_2']);
    });

    test('a later epoch ends an earlier one whose lease has not ended', async () => {
      const again = await under.cluster.join('node-1');
      expect(await holders(other)).toEqual([]);
      await expect(one.apply([claim], UNFENCED)).rejects.toThrow(NodeFenced);
      await expect(one.renew()).rejects.toThrow(NodeFenced);
      await again.renew();
    });

    test('another node may end a session, and take over from it', async () => {
      const theirs = await settle(other);
      const fence = await other.snapshot([KEY]);
      await other.apply([{ op: 'end', sessionId: 'ts_node-1_1' }, theirs], fence);
      expect(await holders(one)).toEqual(['tn_node-2_1']);
      await one.renew();
    });

    test('two nodes claim one key: however they take turns and stand still, it has one holder', async () => {
      const turn = fc.tuple(
        fc.constantFrom(0, 1),
        fc.constantFrom('look', 'claim', 'claim', 'leave', 'renew', 'stand still', 'start again'),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(turn, { maxLength: 40 }), async (turns) => {
          const fresh = await open(LEASE_MS);
          const nodes = [await fresh.cluster.join('node-1'), await fresh.cluster.join('node-2')];
          const seen = new Map<number, Snapshot>();
          for (const [index, act] of turns) {
            const node = nodes[index];
            if (node === undefined) throw new Error('there are two');
            const fence = seen.get(index);
            try {
              if (act === 'look') seen.set(index, await node.snapshot([KEY]));
              else if (act === 'renew') await node.renew();
              else if (act === 'leave') {
                await node.apply([{ op: 'remove', id: `tn_${node.node.id}_${node.node.epoch}` }], UNFENCED);
              } else if (act === 'stand still') fresh.advance(LEASE_MS / 2);
              else if (act === 'start again') nodes[index] = await fresh.cluster.join(node.node.id);
              else if (fence?.get(KEY)?.length === 0) await node.apply([await settle(node)], fence);
            } catch (error) {
              if (!(error instanceof Overtaken || error instanceof NodeFenced)) throw error;
            }
            expect((await node.holdersOf(KEY)).length).toBeLessThan(2);
          }
          await fresh.dispose();
        }),
        { numRuns: 200 },
      );
    });
  });
}
