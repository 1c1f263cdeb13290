import { describe, expect, test } from 'vitest';
import { describeRegistryContract } from './contract/index.ts';
import { onlineEndpoint, sessionRecord, tunnelRecord } from './contract/records.ts';
import { createMemoryRegistry } from './memory.ts';
import { addressKey } from './types.ts';

describeRegistryContract('memory', async (leaseMs) => {
  let time = 0;
  return {
    cluster: createMemoryRegistry({ now: () => time, leaseMs }),
    advance: (ms) => void (time += ms),
    dispose: async () => {},
  };
});

describe('memory', () => {
  test('answers for one address among 20,000 without looking at the others', async () => {
    const registry = await createMemoryRegistry({ now: () => 0 }).join('node-1');
    await registry.addSession(sessionRecord({ id: 'ts_1' }));
    let looks = 0;
    for (let i = 0; i < 20_000; i++) {
      const tunnel = tunnelRecord({
        id: `tn_${i}`,
        sessionId: 'ts_1',
        endpoint: onlineEndpoint({ host: `h${i}.example` }),
      });
      const watched = new Proxy(tunnel, {
        get(target, property, receiver): unknown {
          looks++;
          return Reflect.get(target, property, receiver);
        },
      });
      await registry.apply([{ op: 'put', tunnel: watched }], new Map());
    }
    looks = 0;
    const key = addressKey({ scheme: 'https', host: 'h7.example', port: 443, binding: 'public', accountId: 'ac_1' });
    expect(await registry.holdersOf(key)).toHaveLength(1);
    expect((await registry.findTunnel('ts_1', 'bind-of-tn_7'))?.id).toBe('tn_7');
    expect(looks).toBeLessThan(10);
  });
});

describe('an address key', () => {
  const at = { scheme: 'https', host: 'a.example', port: 443, binding: 'public', accountId: 'ac_1' };

  test('is shared by all accounts in public and by nobody inside', () => {
    expect(addressKey(at)).toBe(addressKey({ ...at, accountId: 'ac_2' }));
    expect(addressKey({ ...at, binding: 'internal' })).not.toBe(
      addressKey({ ...at, binding: 'internal', accountId: 'ac_2' }),
    );
  });

  test('counts the port where the port finds the endpoint', () => {
    expect(addressKey(at)).toBe(addressKey({ ...at, port: 8443 }));
    expect(addressKey({ ...at, binding: 'internal' })).not.toBe(addressKey({ ...at, binding: 'internal', port: 8443 }));
    const tcp = { ...at, scheme: 'tcp', port: 20000 };
    expect(addressKey(tcp)).not.toBe(addressKey({ ...tcp, port: 20001 }));
    expect(addressKey(tcp)).toBe(addressKey({ ...tcp, host: 'localhost' }));
  });
});
