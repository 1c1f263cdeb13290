import { beforeEach, describe, expect, test } from 'vitest';
import { CONFIG, POLICY, useStore, type Harness } from '../testing/harness.ts';

const fresh = useStore();
let h: Harness;
beforeEach(async () => {
  h = await fresh();
});

describe('a name is found', () => {
  test.each([
    ['https', { url: 'https://A.example.test' }, 'https://a.example.test:8443'],
    ['https', { url: 'https://a.example.test:8443' }, 'https://a.example.test:8443'],
    ['https', { url: 'https://a.example.test', domain: 'other.example.test' }, 'https://a.example.test:8443'],
    ['https', { domain: 'a.example.test' }, 'https://a.example.test:8443'],
    ['https', { hostname: 'a.example.test' }, 'https://a.example.test:8443'],
    ['https', { subdomain: 'mine' }, 'https://mine.postern.localhost:8443'],
    ['https', { domain: 'a.example.test', hostname: 'a.example.test' }, 'https://a.example.test:8443'],
    ['http', { domain: 'a.example.test' }, 'http://a.example.test:8880'],
    ['tls', { domain: 'a.example.test' }, 'tls://a.example.test:8443'],
    ['tcp', { addr: 'localhost:20003' }, 'tcp://localhost:20003'],
    ['tcp', { addr: '20003' }, 'tcp://localhost:20003'],
    ['tcp', { url: 'tcp://localhost:20003' }, 'tcp://localhost:20003'],
    ['https', { domain: 'app.internal' }, 'https://app.internal'],
    ['https', { url: 'https://app.internal:9000' }, 'https://app.internal:9000'],
    ['tcp', { url: 'tcp://db.internal:5432' }, 'tcp://db.internal:5432'],
    ['https', { domain: '*.example.test' }, 'https://*.example.test:8443'],
  ])('%s %j → %s', async (proto, opts, url) => {
    const bound = await h.bind(await h.connect(), opts, { proto });
    expect(bound).toMatchObject({ url, proto });
    const [route] = h.edge.routes.values();
    expect(route).toMatchObject({ kind: 'agent', publicUrl: url, upstreams: [{ tunnelId: bound.id }] });
  });

  test('without a name one is generated, and nothing is reserved', async () => {
    const session = await h.connect();
    const [https, http] = [await h.bind(session, {}), await h.bind(session, { url: 'http://' }, { proto: 'http' })];
    expect(https.url).toMatch(/^https:\/\/[0-9a-f]{12}\.postern\.localhost:8443$/);
    expect(http.url).toMatch(/^http:\/\/[0-9a-f]{12}\.postern\.localhost:8880$/);
    const tcp = await h.bind(session, {}, { proto: 'tcp' });
    expect(tcp.url).toMatch(/^tcp:\/\/localhost:2000\d$/);
    expect((await h.control.api.reservedDomains.list(h.caller, { limit: 9 })).items).toEqual([]);
    expect((await h.control.api.reservedAddrs.list(h.caller, { limit: 9 })).items).toEqual([]);
  });

  test.each([
    ['ssh', {}, {}, 332],
    ['https', { url: 'http://a.example.test' }, {}, 9036],
    ['https', { url: 'https://a.example.test/' }, {}, 9038],
    ['https', { url: 'https://a.example.test:1' }, {}, 9035],
    ['https', { url: 'https://a.example.test:99999' }, {}, 9030],
    ['https', { url: 'https://u@a.example.test' }, {}, 9037],
    ['https', { domain: 'a.example.test', hostname: 'b.example.test' }, {}, 9021],
    ['https', { domain: 'a..example.test' }, {}, 327],
    ['https', { domain: 'a_b.example.test' }, {}, 326],
    ['https', { domain: '-a.example.test' }, {}, 328],
    ['https', { domain: 'a-.example.test' }, {}, 329],
    ['https', { domain: 'ab--c.example.test' }, {}, 330],
    ['https', { domain: 'connect.postern.localhost' }, {}, 90_029],
    ['https', { domain: 'app.internal' }, { bindings: ['public'] }, 331],
    ['https', { domain: 'app.example.test' }, { bindings: ['internal'] }, 9029],
    ['https', { domain: 'a.b.c.d.e.f.internal' }, {}, 9031],
    ['https', {}, { bindings: ['internal'] }, 9028],
    ['http', {}, { bindings: ['kubernetes'] }, 9039],
    ['http', { url: 'http://a.b.c' }, { bindings: ['kubernetes'] }, 9039],
    ['https', { url: 'https://svc.ns' }, { bindings: ['kubernetes'] }, 9041],
    ['https', {}, { bindings: ['nowhere'] }, 15_005],
    ['tcp', { addr: 'elsewhere.example.com:20001' }, {}, 307],
    ['tcp', { addr: 'localhost:30000' }, {}, 9035],
    ['https', {}, { metadata: 'x'.repeat(4097) }, 100],
    ['https', {}, { description: 'x'.repeat(256) }, 90_051],
    ['https', {}, { forwardsProto: 'http3' }, 15_003],
    ['https', {}, { token: 'forged.token' }, 335],
  ])('%s %j %j is refused with %i', async (proto, opts, request, number) => {
    const session = await h.connect();
    await expect(h.bind(session, opts, { proto, ...request })).rejects.toMatchObject({ number });
    expect(h.edge.routes.size).toBe(0);
  });

  test('without auto-reserve: 319, 318, 321, and a base domain under "base"', async () => {
    const strict = await fresh({ autoReserve: 'base' });
    const session = await strict.connect();
    await strict.bind(session, { domain: 'a.example.test' });
    await expect(strict.bind(session, { domain: 'a.mine.example' })).rejects.toMatchObject({ number: 319 });
    await expect(strict.bind(session, { domain: '*.mine.example' })).rejects.toMatchObject({ number: 318 });
    await strict.control.api.reservedDomains.create(strict.caller, { domain: '*.mine.example' });
    await strict.bind(session, { domain: 'a.mine.example' });
    await expect(strict.bind(session, { domain: '*.b.mine.example' })).rejects.toMatchObject({ number: 321 });
  });
});

describe("the credential's ACL", () => {
  test.each([
    [['bind:a.example.test'], 'https', { domain: 'a.example.test' }, 0],
    [['bind:a.example.test'], 'https', { domain: 'b.example.test' }, 316],
    [['bind:a.example.test'], 'https', {}, 316],
    [['bind:*.postern.localhost'], 'https', {}, 0],
    [['bind:localhost:20003'], 'tcp', { addr: 'localhost:20003' }, 0],
    [['bind:localhost:20003'], 'tcp', { addr: 'localhost:20004' }, 308],
    [['bind:localhost:20003'], 'tcp', {}, 0],
    [['bind:a.example.test'], 'tcp', {}, 356],
    [['bind:a=b'], 'https', { domain: 'a.example.test' }, 316],
    [['*'], 'https', {}, 0],
  ])('%j, %s %j → %i', async (acl, proto, opts, number) => {
    const { token } = await h.control.api.credentials.create(h.caller, { acl });
    const session = await h.connect({ authtoken: token ?? '' });
    const bound = h.bind(session, opts, { proto });
    if (number === 0) await bound;
    else await expect(bound).rejects.toMatchObject({ number });
  });

  test('labels: 399 names the one that is denied', async () => {
    const { token } = await h.control.api.credentials.create(h.caller, { acl: ['bind:team=*'] });
    const session = await h.connect({ authtoken: token ?? '' });
    await h.bindLabels(session, { team: 'web' });
    await expect(h.bindLabels(session, { team: 'web', env: 'prod' })).rejects.toThrow(/env=prod/);
    await expect(h.bindLabels(session, {})).rejects.toMatchObject({ number: 358 });
  });
});

test('a random port that something else holds is replaced by another', async () => {
  for (let port = 20_000; port < 20_007; port += 1) h.edge.busyPorts.add(port);
  const session = await h.connect();
  const bound = await Promise.all([1, 2, 3].map(() => h.bind(session, {}, { proto: 'tcp' })));
  const urls = [20_007, 20_008, 20_009].map((port) => `tcp://localhost:${port}`);
  expect(bound.map(({ url }) => url).toSorted((a, b) => (a < b ? -1 : 1))).toEqual(urls);
  expect(h.edge.urls()).toEqual(urls);
});

test('a named port that something else holds is 90027, and nothing stays online', async () => {
  h.edge.busyPorts.add(20_003);
  const session = await h.connect();
  await expect(h.bind(session, { addr: 'localhost:20003' }, { proto: 'tcp' })).rejects.toMatchObject({
    number: 90_027,
  });
  expect((await h.control.api.tunnels.list(h.caller, { limit: 9 })).items).toEqual([]);
});

test('unbind is idempotent and takes the route away before it answers', async () => {
  const session = await h.connect();
  const bound = await h.bind(session, { domain: 'a.example.test' });
  await h.link.unbind(session.sessionId, bound.id);
  expect(h.edge.routes.size).toBe(0);
  await h.link.unbind(session.sessionId, bound.id);
  await h.link.unbind(session.sessionId, 'never known');
});

test('another session cannot unbind or patch what is not its own', async () => {
  const [one, two] = [await h.connect(), await h.connect()];
  const bound = await h.bind(one, { domain: 'a.example.test' });
  await h.link.unbind(two.sessionId, bound.id);
  expect(h.edge.routes.size).toBe(1);
  await expect(h.link.patchTunnel(two.sessionId, { tunnelId: bound.tunnelId, name: 'x' })).rejects.toMatchObject({
    number: 90_052,
  });
});

test('a patch changes what it names', async () => {
  const session = await h.connect();
  const bound = await h.bind(session, { domain: 'a.example.test', compression: true }, { metadata: 'old' });
  h.advance(1_000);
  await h.link.patchTunnel(session.sessionId, {
    tunnelId: bound.tunnelId,
    name: 'shop',
    poolingEnabled: true,
    trafficPolicy: POLICY,
  });
  const row = (await h.control.api.endpoints.list(h.caller, { limit: 1 })).items[0];
  expect(row).toMatchObject({
    name: 'shop',
    metadata: 'old',
    poolingEnabled: true,
    trafficPolicy: POLICY,
    createdAt: '2026-11-24T12:00:00Z',
    updatedAt: '2026-11-24T12:00:01Z',
  });
  const route = h.edge.routes.get(row?.id ?? '');
  expect(route?.policy).toContain('compress-response');
  expect(route?.policy).toContain('deny');
});

test('the endpoints of a session are limited', async () => {
  const small = await fresh({ limits: { ...CONFIG.limits, sessions: 10, endpointsPerSession: 2, applyMs: 1000 } });
  const session = await small.connect();
  await small.bind(session, {});
  const second = await small.bind(session, {});
  await expect(small.bind(session, {})).rejects.toMatchObject({ number: 324 });
  await small.bind(session, {}, { id: second.id, token: second.token });
});

describe('words at bind', () => {
  test.each([
    [{ domain: 'a b.example.test' }, 326],
    [{ hostname: ' a.example.test' }, 326],
    [{ subdomain: 'a\tb' }, 326],
    [{ url: 'https://a.example.test ' }, 326],
    [{ domain: 'a.example.test.' }, 327],
  ])('%j → %i', async (opts, number) => {
    await expect(h.bind(await h.connect(), opts)).rejects.toMatchObject({ number });
  });

  test('what an agent says that it forwards to has a limit', async () => {
    const session = await h.connect();
    const long = `http://localhost/${'x'.repeat(4_096)}`;
    await expect(h.bind(session, {}, { forwardsTo: long })).rejects.toMatchObject({ number: 90_051 });
  });

  test('what it says of itself is kept short', async () => {
    const { sessionId } = await h.connect({ agentVersion: 'v'.repeat(60_000), os: 'o'.repeat(60_000) });
    const session = await h.control.api.tunnelSessions.get(h.caller, sessionId);
    expect(session?.agentVersion.length).toBeLessThan(600);
    expect(session?.os.length).toBeLessThan(600);
  });
});
