import { expect, test, vi } from 'vitest';
import { LEASE_MS, POLICY, useStore, type Harness } from './testing/harness.ts';

const open = useStore();

/** Until the node has said once more that it is there. */
async function renewed(h: Harness): Promise<void> {
  const renew = vi.spyOn(h.registry, 'renew');
  await expect.poll(() => renew.mock.settledResults.length).toBeGreaterThan(0);
  renew.mockRestore();
}

test('a node renews its lease: others see its agents for as long as it runs', async () => {
  const one = await open();
  const other = await one.beside();
  const { sessionId } = await one.connect();
  for (let turn = 0; turn < 4; turn++) {
    one.advance(LEASE_MS - 1);
    await renewed(one);
    expect(await other.registry.getSession(sessionId)).not.toBeNull();
  }
});

test('one that stood still for too long has lost its names, sends its agents away, and writes nothing more', async () => {
  const one = await open();
  const other = await one.beside();
  const session = await one.connect();
  await one.bind(session, { domain: 'a.example.test' });
  one.advance(LEASE_MS);
  // Another node looks before this one gets to renew.
  expect(await other.registry.getSession(session.sessionId)).toBeNull();
  const made = await other.control.api.endpoints.create(other.caller, {
    url: 'https://a.example.test',
    trafficPolicy: POLICY,
  });
  expect(made.url).toBe('https://a.example.test');
  await expect.poll(() => one.edge.closed.map(({ sessionId }) => sessionId)).toEqual([session.sessionId]);
  await expect(one.connect()).rejects.toMatchObject({ name: 'NodeFenced' });
  await expect(one.bind(session, { domain: 'b.example.test' })).rejects.toMatchObject({ number: 90_052 });
});

test('a node that is alone loses nothing by standing still', async () => {
  const h = await open();
  const session = await h.connect();
  h.advance(100 * LEASE_MS);
  await h.bind(session, { domain: 'a.example.test' });
  await renewed(h);
  expect(h.edge.closed).toEqual([]);
  expect(h.edge.urls()).toEqual(['https://a.example.test']);
});
