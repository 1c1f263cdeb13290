import { StoreUnavailable } from '@postern/store';
import { beforeEach, describe, expect, test } from 'vitest';
import { POLICY, useStore, type Harness } from '../testing/harness.ts';
import type { EndpointCreate } from '../types.ts';

const fresh = useStore();
let h: Harness;
beforeEach(async () => {
  h = await fresh();
});

const create = (input: EndpointCreate) => h.control.api.endpoints.create(h.caller, { trafficPolicy: POLICY, ...input });

describe('creating a cloud endpoint', () => {
  test('answers with every field, live at the edge, and get says the same', async () => {
    const made = await create({
      url: 'https://App.postern.localhost:443',
      description: 'the app',
      metadata: '{"a":1}',
    });
    expect(made).toMatchObject({
      type: 'cloud',
      url: 'https://App.postern.localhost',
      publicUrl: 'https://app.postern.localhost:8443',
      scheme: 'https',
      host: 'app.postern.localhost',
      port: 8443,
      hostport: 'app.postern.localhost:8443',
      description: 'the app',
      metadata: '{"a":1}',
      bindings: ['public'],
      poolingEnabled: false,
      trafficPolicy: POLICY,
      principalId: h.caller.principal.id,
      createdAt: '2026-11-24T12:00:00Z',
      updatedAt: '2026-11-24T12:00:00Z',
    });
    expect(h.edge.routes.get(made.id)).toMatchObject({ kind: 'cloud', proto: 'https', policy: POLICY });
    expect(await h.control.api.endpoints.get(h.caller, made.id)).toEqual(made);
    const domain = await h.control.api.reservedDomains.get(h.caller, made.domainId);
    expect(domain).toMatchObject({ domain: 'app.postern.localhost', cnameTarget: null });
  });

  test('type "cloud" may be given, or left empty; others are 248', async () => {
    await create({ url: 'https://a.example.test', type: 'cloud' });
    await create({ url: 'https://empty.example.test', type: '' });
    for (const type of ['ephemeral', 'edge']) {
      await expect(create({ url: 'https://b.example.test', type })).rejects.toMatchObject({ number: 248 });
    }
  });

  test.each([
    [{}, 18_015],
    [{ url: '' }, 18_015],
    [{ url: 'https://x.example.test', trafficPolicy: '' }, 18_011],
    [{ url: 'https://x.example.test', trafficPolicy: 'broken' }, 18_002],
    [{ url: 'https://x.example.test', description: 'ä'.repeat(128) }, 18_012],
    [{ url: 'https://x.example.test', metadata: 'x'.repeat(4097) }, 18_013],
    [{ url: 'https://x.example.test', bindings: ['private'] }, 15_005],
    [{ url: 'https://x.example.test', bindings: ['public', 'public'] }, 15_006],
    [{ url: 'https://x.example.test', bindings: ['public', 'internal'] }, 90_023],
  ])('%j is refused with %i and nothing is left behind', async (input, number) => {
    await expect(create(input)).rejects.toMatchObject({ number });
    expect((await h.control.api.endpoints.list(h.caller, { limit: 100 })).items).toEqual([]);
    expect((await h.control.api.reservedDomains.list(h.caller, { limit: 100 })).items).toEqual([]);
    expect(h.edge.urls()).toEqual([]);
  });

  test('the 18002 message holds the word that operators look for', async () => {
    await expect(create({ url: 'https://x.example.test', trafficPolicy: 'broken' })).rejects.toThrow(/policy.*2236/s);
  });

  test('https://h and https://h:<public port> are one endpoint', async () => {
    const made = await create({ url: 'https://x.example.test:8443' });
    expect(made.url).toBe('https://x.example.test:8443');
    await expect(create({ url: 'https://x.example.test' })).rejects.toMatchObject({ number: 18_017 });
    await create({ url: 'http://x.example.test' });
  });

  // Terraform's provider takes what comes back for another value, and taints the endpoint, unless it differs as little.
  test.each([
    ['https://a.example.test:443', 'https://a.example.test'],
    ['http://a.example.test:80', 'http://a.example.test'],
    ['HTTPS://A.Example.Test', 'https://A.Example.Test'],
    ['tls://a.example.test:443', 'tls://a.example.test:443'],
    ['tls://A.example.test', 'tls://A.example.test'],
    ['https://UPPER.internal:8443', 'https://UPPER.internal:8443'],
  ])('%s comes back as it was written: %s', async (url, expected) => {
    const made = await create({ url });
    expect(made).toMatchObject({ url: expected, host: made.host.toLowerCase() });
    const { endpoints } = h.control.api;
    expect(await endpoints.get(h.caller, made.id)).toEqual(made);
    expect(await endpoints.update(h.caller, made.id, { url, trafficPolicy: POLICY })).toEqual(made);
    expect(h.edge.urls()).toEqual([expected.toLowerCase().replace(/^(tls:.*):443$/, '$1')]);
    for (const same of [url, expected, url.toLowerCase()]) {
      expect((await endpoints.list(h.caller, { limit: 9, urls: [same] })).items).toEqual([made]);
    }
    await expect(create({ url: url.toLowerCase() })).rejects.toMatchObject({ number: 18_017 });
  });

  test('tls and https exclude each other on one name', async () => {
    await create({ url: 'tls://x.example.test', poolingEnabled: true });
    await expect(create({ url: 'https://x.example.test', poolingEnabled: true })).rejects.toMatchObject({
      number: 18_016,
    });
  });

  test('a port that the edge cannot open is reported and nothing stays', async () => {
    h.edge.busyPorts.add(20_004);
    await expect(create({ url: 'tcp://localhost:20004' })).rejects.toMatchObject({ number: 90_027 });
    expect((await h.control.api.endpoints.list(h.caller, { limit: 100 })).items).toEqual([]);
    expect((await h.control.api.reservedAddrs.list(h.caller, { limit: 100 })).items).toEqual([]);
    expect(h.edge.urls()).toEqual([]);
    h.edge.busyPorts.clear();
    const made = await create({ url: 'tcp://localhost:20004' });
    expect(made).toMatchObject({ url: 'tcp://localhost:20004', hostport: 'localhost:20004', domainId: '' });
    expect(await h.control.api.reservedAddrs.get(h.caller, made.tcpAddrId)).toMatchObject({ addr: 'localhost:20004' });
  });
});

test('a failing disk leaves nothing routed', async () => {
  let broken = false;
  const harness = await fresh({}, (store) => ({
    ...store,
    health: store.health,
    commit: (writes) => (broken ? Promise.reject(new StoreUnavailable('disk full')) : store.commit(writes)),
  }));
  const { endpoints } = harness.control.api;
  const kept = await endpoints.create(harness.caller, { url: 'https://k.example.test', trafficPolicy: POLICY });
  broken = true;
  const input = { url: 'https://n.example.test', trafficPolicy: POLICY };
  await expect(endpoints.create(harness.caller, input)).rejects.toBeInstanceOf(StoreUnavailable);
  await expect(endpoints.remove(harness.caller, kept.id)).rejects.toBeInstanceOf(StoreUnavailable);
  await expect(endpoints.update(harness.caller, kept.id, { description: 'x' })).rejects.toBeInstanceOf(
    StoreUnavailable,
  );
  expect(harness.edge.urls()).toEqual(['https://k.example.test']);
  expect(await endpoints.get(harness.caller, kept.id)).toEqual(kept);
  broken = false;
  await endpoints.create(harness.caller, input);
});

describe('changing a cloud endpoint', () => {
  test('missing fields stay, "" clears, the edge has it before the answer', async () => {
    const made = await create({ url: 'https://a.example.test', description: 'd', metadata: 'm' });
    h.advance(5_000);
    const { endpoints } = h.control.api;
    const next = '{"on_http_request":[{"actions":[{"type":"custom-response"}]}]}';
    const changed = await endpoints.update(h.caller, made.id, { trafficPolicy: next, description: '' });
    expect(changed).toEqual({
      ...made,
      trafficPolicy: next,
      description: '',
      updatedAt: '2026-11-24T12:00:05Z',
    });
    expect(h.edge.routes.get(made.id)?.policy).toBe(next);
    expect(await endpoints.get(h.caller, made.id)).toEqual(changed);
  });

  test('a value that is there already passes', async () => {
    const made = await create({ url: 'https://a.example.test' });
    const same = { url: made.url, trafficPolicy: POLICY, bindings: ['public'], poolingEnabled: false, metadata: '' };
    expect(await h.control.api.endpoints.update(h.caller, made.id, same)).toEqual(made);
  });

  test('it moves, and its old address is free again', async () => {
    const made = await create({ url: 'https://a.example.test' });
    const moved = await h.control.api.endpoints.update(h.caller, made.id, { url: 'https://b.example.test' });
    expect(moved).toMatchObject({ id: made.id, url: 'https://b.example.test' });
    expect(h.edge.urls()).toEqual(['https://b.example.test']);
    await create({ url: 'https://a.example.test' });
  });

  test.each([
    [{}, 18_004],
    [{ url: 'http://a.example.test' }, 18_005],
    [{ url: 'https://taken.example.test' }, 18_017],
    [{ url: 'https://a.example.test/' }, 9038],
    [{ url: '' }, 18_015],
    [{ trafficPolicy: '' }, 18_011],
    [{ trafficPolicy: 'broken' }, 18_002],
    [{ bindings: ['internal'] }, 18_007],
    [{ metadata: 'x'.repeat(4097) }, 18_013],
  ])('%j is refused with %i and nothing changes', async (patch, number) => {
    await create({ url: 'https://taken.example.test' });
    const made = await create({ url: 'https://a.example.test' });
    const { endpoints } = h.control.api;
    await expect(endpoints.update(h.caller, made.id, patch)).rejects.toMatchObject({ number });
    expect(await endpoints.get(h.caller, made.id)).toEqual(made);
    expect(h.edge.routes.get(made.id)?.url).toBe('https://a.example.test');
  });

  test('a move that the edge refuses is taken back', async () => {
    const made = await create({ url: 'tcp://localhost:20001' });
    h.edge.busyPorts.add(20_002);
    const { endpoints, reservedAddrs } = h.control.api;
    await expect(endpoints.update(h.caller, made.id, { url: 'tcp://localhost:20002' })).rejects.toMatchObject({
      number: 90_027,
    });
    expect(await endpoints.get(h.caller, made.id)).toMatchObject({ url: 'tcp://localhost:20001' });
    expect((await reservedAddrs.list(h.caller, { limit: 9 })).items.map(({ addr }) => addr)).toEqual([
      'localhost:20001',
    ]);
  });

  test('it is gone from the edge before a delete answers; the second delete finds nothing', async () => {
    const made = await create({ url: 'tcp://localhost:20001' });
    const { endpoints } = h.control.api;
    expect(await endpoints.remove(h.caller, made.id)).toBe(true);
    expect(h.edge.routes.size).toBe(0);
    expect(await endpoints.remove(h.caller, made.id)).toBe(false);
    expect(await endpoints.get(h.caller, made.id)).toBeNull();
    expect(await endpoints.update(h.caller, made.id, { metadata: 'x' })).toBeNull();
    expect((await h.control.api.reservedAddrs.list(h.caller, { limit: 9 })).items).toEqual([]);
  });
});

test('agent rows are read-only here and carry what is true', async () => {
  const session = await h.connect();
  const bound = await h.bind(session, { domain: 'a.example.test' }, { metadata: 'm', name: '' });
  const { endpoints } = h.control.api;
  const [row] = (await endpoints.list(h.caller, { limit: 10 })).items;
  expect(row).toMatchObject({
    type: 'ephemeral',
    url: 'https://a.example.test:8443',
    publicUrl: 'https://a.example.test:8443',
    hostport: 'a.example.test:8443',
    upstreamUrl: 'http://localhost:3000',
    upstreamProtocol: 'http1',
    metadata: 'm',
    tunnelSessionId: session.sessionId,
    tunnelId: bound.tunnelId,
    principalId: h.caller.principal.id,
  });
  expect(row?.name).toBe('');
  const id = row?.id ?? '';
  await expect(endpoints.update(h.caller, id, { metadata: '' })).rejects.toMatchObject({ number: 248 });
  await expect(endpoints.remove(h.caller, id)).rejects.toMatchObject({ number: 248 });
  expect(await endpoints.get(h.caller, id)).toEqual(row);
  expect(await h.control.api.reservedDomains.get(h.caller, row?.domainId ?? '')).toMatchObject({
    domain: 'a.example.test',
  });
});

test('without auto-reserve a host needs a reservation', async () => {
  const strict = await fresh({ autoReserve: 'off' });
  const { endpoints, reservedDomains } = strict.control.api;
  const input = { url: 'https://a.mine.example', trafficPolicy: POLICY };
  await expect(endpoints.create(strict.caller, input)).rejects.toMatchObject({ number: 18_006 });
  const wildcard = await reservedDomains.create(strict.caller, { domain: '*.mine.example' });
  expect(await endpoints.create(strict.caller, input)).toMatchObject({ domainId: wildcard.id });
  const deeper = { ...input, url: 'https://*.b.mine.example' };
  await expect(endpoints.create(strict.caller, deeper)).rejects.toMatchObject({ number: 18_006 });
  await expect(reservedDomains.remove(strict.caller, wildcard.id)).rejects.toMatchObject({ number: 446 });
});
