/** What every registry must do, whatever it stands on. A form of it passes by giving `open`. */
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  addressKey,
  Overtaken,
  SessionGone,
  type Registry,
  type RegistryChange,
  type Snapshot,
  type TunnelRecord,
} from '../types.ts';
import { commands, LEASE_MS, nodesOn } from './commands.ts';
import { describeLeases } from './leases.ts';
import { createModelRegistry } from './model.ts';
import { onlineEndpoint, sessionRecord, tunnelRecord } from './records.ts';
import type { RegistryUnderTest } from './under-test.ts';

const UNFENCED: Snapshot = new Map();

export function describeRegistryContract(name: string, open: (leaseMs: number) => Promise<RegistryUnderTest>): void {
  describe(`${name} keeps the registry contract`, () => {
    let under: RegistryUnderTest;
    let registry: Registry;
    beforeEach(async () => {
      under = await open(LEASE_MS);
      registry = await under.cluster.join('node-1');
    });
    afterEach(() => under.dispose());
    const put = (tunnel: TunnelRecord): Promise<void> => registry.apply([{ op: 'put', tunnel }], UNFENCED);

    test('a session is found by id, by account and by the leg of its agent', async () => {
      const one = sessionRecord({ id: 'ts_1', clientId: 'c' });
      const leg = sessionRecord({ id: 'ts_2', clientId: 'c', legNumber: 1 });
      const other = sessionRecord({ id: 'ts_3', clientId: 'c', accountId: 'ac_2' });
      for (const session of [leg, other, one]) await registry.addSession(session);
      expect(await registry.getSession('ts_1')).toEqual(one);
      expect(await registry.getSession('ts_9')).toBeNull();
      expect(await registry.sessionsOf('ac_1')).toEqual([one, leg]);
      expect(await registry.findSession('ac_1', 'c', 1)).toEqual(leg);
      expect(await registry.findSession('ac_2', 'c', 0)).toEqual(other);
      expect(await registry.findSession('ac_2', 'c', 1)).toBeNull();
    });

    test('a client id that was never issued finds nobody', async () => {
      await registry.addSession(sessionRecord({ id: 'ts_1', clientId: '' }));
      expect(await registry.findSession('ac_1', '', 0)).toBeNull();
    });

    test('removing a session takes its tunnels along, once', async () => {
      await registry.addSession(sessionRecord({ id: 'ts_1' }));
      await registry.addSession(sessionRecord({ id: 'ts_2' }));
      const mine = [
        tunnelRecord({ id: 'tn_1', sessionId: 'ts_1', endpoint: onlineEndpoint({ host: 'a.example' }) }),
        tunnelRecord({ id: 'tn_2', sessionId: 'ts_1', labels: { app: 'x' } }),
      ];
      const other = tunnelRecord({ id: 'tn_3', sessionId: 'ts_2', labels: { app: 'x' } });
      for (const tunnel of [...mine, other]) await put(tunnel);
      expect(await registry.tunnelsOfSession('ts_1')).toEqual(mine);
      for (let times = 0; times < 2; times++) await registry.apply([{ op: 'end', sessionId: 'ts_1' }], UNFENCED);
      expect(await registry.getSession('ts_1')).toBeNull();
      expect(await registry.getTunnel('tn_1')).toBeNull();
      expect(await registry.holdersOf(publicAt('a.example'))).toEqual([]);
      expect(await registry.tunnelsWithLabels('ac_1', { app: 'x' })).toEqual([other]);
      expect(await registry.tunnelsOf('ac_1')).toEqual([other]);
    });

    test('a tunnel of a session that has ended is refused', async () => {
      await registry.addSession(sessionRecord({ id: 'ts_1' }));
      await registry.apply([{ op: 'end', sessionId: 'ts_1' }], UNFENCED);
      const late = tunnelRecord({ id: 'tn_1', sessionId: 'ts_1', endpoint: onlineEndpoint({ host: 'a.example' }) });
      await expect(put(late)).rejects.toThrow(SessionGone);
      expect(await registry.holdersOf(publicAt('a.example'))).toEqual([]);
    });

    test('all members of a pool hold its address; the port of a public web address takes no part', async () => {
      await registry.addSession(sessionRecord({ id: 'ts_1' }));
      await put(poolMember('tn_2', 8443));
      await put(poolMember('tn_1', 443));
      await put(
        tunnelRecord({
          id: 'tn_3',
          sessionId: 'ts_1',
          endpoint: onlineEndpoint({ host: 'a.example', scheme: 'http' }),
        }),
      );
      const holders = await registry.holdersOf(publicAt('a.example'));
      expect(holders.map(({ id }) => id)).toEqual(['tn_1', 'tn_2']);
    });

    test('replacing a tunnel moves it: what it was no longer finds it', async () => {
      for (const id of ['ts_1', 'ts_2']) await registry.addSession(sessionRecord({ id }));
      const before = tunnelRecord({ id: 'tn_1', sessionId: 'ts_1', bindId: 'b', labels: { app: 'x' } });
      const after = tunnelRecord({
        id: 'tn_1',
        sessionId: 'ts_2',
        bindId: 'b',
        endpoint: onlineEndpoint({ host: 'a.example' }),
      });
      await put(before);
      await put(after);
      expect(await registry.findTunnel('ts_1', 'b')).toBeNull();
      expect(await registry.findTunnel('ts_2', 'b')).toEqual(after);
      expect(await registry.tunnelsWithLabels('ac_1', { app: 'x' })).toEqual([]);
      await registry.apply([{ op: 'end', sessionId: 'ts_1' }], UNFENCED);
      expect(await registry.getTunnel('tn_1')).toEqual(after);
      for (let times = 0; times < 2; times++) await registry.apply([{ op: 'remove', id: 'tn_1' }], UNFENCED);
      expect(await registry.getTunnel('tn_1')).toBeNull();
    });

    test('labels match when all that are asked for are there, within the account', async () => {
      await registry.addSession(sessionRecord({ id: 'ts_1' }));
      const full = tunnelRecord({ id: 'tn_1', sessionId: 'ts_1', labels: { app: 'x', zone: 'eu' } });
      const part = tunnelRecord({ id: 'tn_2', sessionId: 'ts_1', labels: { app: 'x' } });
      const foreign = tunnelRecord({ id: 'tn_3', sessionId: 'ts_1', accountId: 'ac_2', labels: { app: 'x' } });
      for (const tunnel of [full, part, foreign]) await put(tunnel);
      expect(await registry.tunnelsWithLabels('ac_1', { app: 'x' })).toEqual([full, part]);
      expect(await registry.tunnelsWithLabels('ac_1', { zone: 'eu', app: 'x' })).toEqual([full]);
      expect(await registry.tunnelsWithLabels('ac_1', { app: 'y' })).toEqual([]);
      expect(await registry.tunnelsWithLabels('ac_1', {})).toEqual([full, part]);
    });

    test('what is applied is applied wholly or not at all', async () => {
      await registry.addSession(sessionRecord({ id: 'ts_1' }));
      const held = tunnelRecord({ id: 'tn_1', sessionId: 'ts_1', endpoint: onlineEndpoint({ host: 'a.example' }) });
      await put(held);
      const after = tunnelRecord({ id: 'tn_2', sessionId: 'ts_1' });
      const orphan = tunnelRecord({ id: 'tn_3', sessionId: 'ts_9' });
      const changes: RegistryChange[] = [
        { op: 'remove', id: 'tn_1' },
        { op: 'put', tunnel: after },
        { op: 'put', tunnel: orphan },
      ];
      await expect(registry.apply(changes, UNFENCED)).rejects.toThrow(SessionGone);
      await expect(
        registry.apply(
          [
            { op: 'end', sessionId: 'ts_1' },
            { op: 'put', tunnel: after },
          ],
          UNFENCED,
        ),
      ).rejects.toThrow(SessionGone);
      expect(await registry.tunnelsOf('ac_1')).toEqual([held]);
      expect(await registry.getSession('ts_1')).not.toBeNull();
    });

    test('two nodes claim one key: the second is overtaken, looks again and finds the first', async () => {
      const key = publicAt('a.example');
      const other = await under.cluster.join('node-2');
      for (const one of [registry, other])
        await one.addSession(sessionRecord({ id: `ts_${one.node.id}`, node: one.node }));
      const claimOf = (node: string): RegistryChange => ({
        op: 'put',
        tunnel: tunnelRecord({
          id: `tn_${node}`,
          sessionId: `ts_${node}`,
          endpoint: onlineEndpoint({ host: 'a.example' }),
        }),
      });
      const [seenByOne, seenByTwo] = [await registry.snapshot([key]), await other.snapshot([key])];
      await registry.apply([claimOf('node-1')], seenByOne);
      await expect(other.apply([claimOf('node-2')], seenByTwo)).rejects.toThrow(Overtaken);
      const again = await other.snapshot([key]);
      expect(again.get(key)?.map(({ id }) => id)).toEqual(['tn_node-1']);
      // Who takes over says so, on what it has seen now.
      await other.apply([{ op: 'remove', id: 'tn_node-1' }, claimOf('node-2')], again);
      expect((await registry.holdersOf(key)).map(({ id }) => id)).toEqual(['tn_node-2']);
      // A holder that was changed is another one.
      const stale = await registry.snapshot([key]);
      await other.apply([claimOf('node-2')], stale);
      await expect(registry.apply([], stale)).rejects.toThrow(Overtaken);
    });

    test('any conversation goes as with the model', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(commands, { minLength: 1, maxLength: 80 }), async (script) => {
          const fresh = await open(LEASE_MS);
          let time = 0;
          const model = createModelRegistry(() => time, LEASE_MS);
          const real = await nodesOn(fresh.cluster, (ms) => fresh.advance(ms));
          const said = await nodesOn(model, (ms) => void (time += ms));
          try {
            for (const { text, run } of script) expect(await run(real), text).toEqual(await run(said));
          } finally {
            await fresh.dispose();
          }
        }),
        { numRuns: 400 },
      );
    });
  });

  describeLeases(name, open);
}

function publicAt(host: string): string {
  return addressKey({ scheme: 'https', host, port: 443, binding: 'public', accountId: 'ac_1' });
}

function poolMember(id: string, port: number): TunnelRecord {
  return tunnelRecord({ id, sessionId: 'ts_1', endpoint: onlineEndpoint({ id, host: 'a.example', port }) });
}
