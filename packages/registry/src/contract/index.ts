/** What every registry must do, whatever it stands on. A form of it passes by giving `open`. */
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addressKey, SessionGone, type Registry, type TunnelRecord } from '../types.ts';
import { commands } from './commands.ts';
import { createModelRegistry } from './model.ts';
import { onlineEndpoint, sessionRecord, tunnelRecord } from './records.ts';

export interface RegistryUnderTest {
  readonly registry: Registry;
  dispose(): Promise<void>;
}

export function describeRegistryContract(name: string, open: () => Promise<RegistryUnderTest>): void {
  describe(`${name} keeps the registry contract`, () => {
    let under: RegistryUnderTest;
    let registry: Registry;
    beforeEach(async () => {
      under = await open();
      registry = under.registry;
    });
    afterEach(() => under.dispose());

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
      for (const tunnel of [...mine, other]) await registry.putTunnel(tunnel);
      expect(await registry.removeSession('ts_1')).toEqual(mine);
      expect(await registry.removeSession('ts_1')).toEqual([]);
      expect(await registry.getTunnel('tn_1')).toBeNull();
      expect(await registry.holdersOf(publicAt('a.example'))).toEqual([]);
      expect(await registry.tunnelsWithLabels('ac_1', { app: 'x' })).toEqual([other]);
      expect(await registry.tunnelsOf('ac_1')).toEqual([other]);
    });

    test('a tunnel of a session that has ended is refused', async () => {
      await registry.addSession(sessionRecord({ id: 'ts_1' }));
      await registry.removeSession('ts_1');
      const late = tunnelRecord({ id: 'tn_1', sessionId: 'ts_1', endpoint: onlineEndpoint({ host: 'a.example' }) });
      await expect(registry.putTunnel(late)).rejects.toThrow(SessionGone);
      expect(await registry.holdersOf(publicAt('a.example'))).toEqual([]);
    });

    test('all members of a pool hold its address; the port of a public web address takes no part', async () => {
      await registry.addSession(sessionRecord({ id: 'ts_1' }));
      await registry.putTunnel(poolMember('tn_2', 8443));
      await registry.putTunnel(poolMember('tn_1', 443));
      await registry.putTunnel(
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
      await registry.putTunnel(before);
      await registry.putTunnel(after);
      expect(await registry.findTunnel('ts_1', 'b')).toBeNull();
      expect(await registry.findTunnel('ts_2', 'b')).toEqual(after);
      expect(await registry.tunnelsWithLabels('ac_1', { app: 'x' })).toEqual([]);
      expect(await registry.removeSession('ts_1')).toEqual([]);
      expect(await registry.removeTunnel('tn_1')).toEqual(after);
      expect(await registry.removeTunnel('tn_1')).toBeNull();
    });

    test('labels match when all that are asked for are there, within the account', async () => {
      await registry.addSession(sessionRecord({ id: 'ts_1' }));
      const full = tunnelRecord({ id: 'tn_1', sessionId: 'ts_1', labels: { app: 'x', zone: 'eu' } });
      const part = tunnelRecord({ id: 'tn_2', sessionId: 'ts_1', labels: { app: 'x' } });
      const foreign = tunnelRecord({ id: 'tn_3', sessionId: 'ts_1', accountId: 'ac_2', labels: { app: 'x' } });
      for (const tunnel of [full, part, foreign]) await registry.putTunnel(tunnel);
      expect(await registry.tunnelsWithLabels('ac_1', { app: 'x' })).toEqual([full, part]);
      expect(await registry.tunnelsWithLabels('ac_1', { zone: 'eu', app: 'x' })).toEqual([full]);
      expect(await registry.tunnelsWithLabels('ac_1', { app: 'y' })).toEqual([]);
      expect(await registry.tunnelsWithLabels('ac_1', {})).toEqual([full, part]);
    });

    test('any conversation goes as with the model', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(commands, { minLength: 1, maxLength: 80 }), async (script) => {
          const fresh = await open();
          const model = createModelRegistry();
          try {
            for (const { text, run } of script) expect(await run(fresh.registry), text).toEqual(await run(model));
          } finally {
            await fresh.dispose();
          }
        }),
        { numRuns: 300 },
      );
    });
  });
}

function publicAt(host: string): string {
  return addressKey({ scheme: 'https', host, port: 443, binding: 'public', accountId: 'ac_1' });
}

function poolMember(id: string, port: number): TunnelRecord {
  return tunnelRecord({ id, sessionId: 'ts_1', endpoint: onlineEndpoint({ id, host: 'a.example', port }) });
}
