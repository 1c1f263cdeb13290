import { beforeEach, describe, expect, test } from 'vitest';
import { POLICY, useStore, type Harness } from './testing/harness.ts';

const fresh = useStore();
let h: Harness;
beforeEach(async () => {
  h = await fresh();
});

const reserved = async (from: Harness = h): Promise<string[]> => {
  const { reservedDomains, reservedAddrs } = from.control.api;
  const domains = await reservedDomains.list(from.caller, { limit: 100 });
  const addrs = await reservedAddrs.list(from.caller, { limit: 100 });
  return [...domains.items.map(({ domain }) => domain), ...addrs.items.map(({ addr }) => addr)].toSorted();
};

describe('what a claim reserved by itself goes with its last user', () => {
  test('an agent closes its listeners', async () => {
    const session = await h.connect();
    const web = await h.bind(session, { domain: 'a.example.test' });
    const plain = await h.bind(session, { domain: 'a.example.test' }, { proto: 'http' });
    const tcp = await h.bind(session, { addr: 'localhost:20003' }, { proto: 'tcp' });
    expect(await reserved()).toEqual(['a.example.test', 'localhost:20003']);
    await h.link.unbind(session.sessionId, tcp.id);
    await h.link.unbind(session.sessionId, web.id);
    expect(await reserved()).toEqual(['a.example.test']);
    await h.link.unbind(session.sessionId, plain.id);
    expect(await reserved()).toEqual([]);
  });

  test('every port of the range is bound by name and closed, and there are ports again', async () => {
    const session = await h.connect();
    for (let port = 20_000; port <= 20_009; port += 1) {
      const bound = await h.bind(session, { addr: `localhost:${port}` }, { proto: 'tcp' });
      await h.link.unbind(session.sessionId, bound.id);
    }
    expect((await h.bind(session, {}, { proto: 'tcp' })).url).toMatch(/^tcp:/);
  });

  test('a connection breaks: a moment later, unless the agent is back', async () => {
    const lost = await h.connect();
    await h.bind(lost, { domain: 'gone.example.test' });
    const back = await h.bind(lost, { domain: 'back.example.test' });
    await h.link.sessionEnded(lost.sessionId, 'closed');
    const again = await h.connect({ clientId: lost.clientId, cookie: lost.cookie });
    await h.bind(again, { domain: 'back.example.test' }, { id: back.id, token: back.token });
    await expect.poll(() => reserved()).toEqual(['back.example.test']);
  });

  test('a cloud endpoint moves, and is deleted; an edge changes its hostports', async () => {
    const { endpoints, edges } = h.control.api;
    const cloud = await endpoints.create(h.caller, { url: 'https://one.example.test', trafficPolicy: POLICY });
    await endpoints.update(h.caller, cloud.id, { url: 'https://two.example.test' });
    const hostports = ['three.example.test:443', 'four.example.test:443'];
    const edge = await edges.create(h.caller, 'https', { hostports });
    expect(await reserved()).toEqual(['four.example.test', 'three.example.test', 'two.example.test']);
    await edges.update(h.caller, 'https', edge.id, { hostports: hostports.slice(0, 1) });
    await endpoints.remove(h.caller, cloud.id);
    expect(await reserved()).toEqual(['three.example.test']);
    await edges.remove(h.caller, 'https', edge.id);
    expect(await reserved()).toEqual([]);
  });

  test('a port that the edge cannot open', async () => {
    h.edge.busyPorts.add(20_004);
    const refused = h.bind(await h.connect(), { addr: 'localhost:20004' }, { proto: 'tcp' });
    await expect(refused).rejects.toMatchObject({ number: 90_027 });
    expect(await reserved()).toEqual([]);
  });

  test('a wildcard that names below it still rest on stays', async () => {
    const session = await h.connect();
    const all = await h.bind(session, { domain: '*.wild.example.test' });
    const one = await h.bind(session, { domain: 'one.wild.example.test' });
    await h.link.unbind(session.sessionId, all.id);
    expect(await reserved()).toEqual(['*.wild.example.test']);
    await h.link.unbind(session.sessionId, one.id);
    expect(await reserved()).toEqual([]);
  });

  test('after a restart it waits as long as agents need to come back', async () => {
    await h.bind(await h.connect(), { domain: 'a.example.test' });
    await h.bind(await h.connect(), { domain: 'b.example.test' });
    const after = await h.restart();
    await after.bind(await after.connect(), { domain: 'b.example.test' });
    expect(await reserved(after)).toEqual(['a.example.test', 'b.example.test']);
    h.advance(301_000);
    await after.sweep();
    expect(await reserved(after)).toEqual(['b.example.test']);
  });

  test('a generated name reserves nothing, also when the agent names it itself', async () => {
    const session = await h.connect();
    const bound = await h.bind(session, {});
    const hostname = new URL(bound.url).hostname;
    expect((await h.bind(session, { hostname }, { proto: 'http' })).url).toContain(hostname);
    const back = await h.connect();
    await h.bind(back, { hostname }, { id: bound.id, token: bound.token });
    expect(await reserved()).toEqual([]);
  });

  test('with --auto-reserve off a generated name works on both schemes and comes back', async () => {
    const strict = await fresh({ autoReserve: 'off' });
    const session = await strict.connect();
    const bound = await strict.bind(session, {});
    const hostname = new URL(bound.url).hostname;
    await strict.bind(session, { hostname }, { proto: 'http' });
    const back = await strict.connect();
    const again = await strict.bind(back, { hostname }, { id: bound.id, token: bound.token });
    expect(again.url).toBe(bound.url);
    await expect(strict.bind(back, { hostname: 'x.example.test' })).rejects.toMatchObject({ number: 319 });
  });
});

describe('an explicit reservation', () => {
  test('adopts the automatic one: same id, and it stays', async () => {
    const session = await h.connect();
    const bound = await h.bind(session, { domain: 'a.example.test' });
    const { reservedDomains } = h.control.api;
    const [automatic] = (await reservedDomains.list(h.caller, { limit: 9 })).items;
    const made = await reservedDomains.create(h.caller, {
      domain: 'A.example.test',
      description: 'mine',
      region: 'eu',
    });
    expect(made).toMatchObject({ id: automatic?.id, description: 'mine', region: 'eu' });
    const twice = reservedDomains.create(h.caller, { domain: 'a.example.test' });
    await expect(twice).rejects.toMatchObject({ number: 413 });
    await h.link.unbind(session.sessionId, bound.id);
    expect(await reservedDomains.get(h.caller, made.id)).toEqual(made);
  });

  test('is what an automatic one becomes when it is changed', async () => {
    const session = await h.connect();
    const bound = await h.bind(session, { domain: 'a.example.test' });
    const { reservedDomains } = h.control.api;
    const [automatic] = (await reservedDomains.list(h.caller, { limit: 9 })).items;
    await reservedDomains.update(h.caller, automatic?.id ?? '', { metadata: 'm' });
    await h.link.unbind(session.sessionId, bound.id);
    expect(await reserved()).toEqual(['a.example.test']);
  });
});
