import { beforeEach, describe, expect, test } from 'vitest';
import { useStore, type Harness } from '../testing/harness.ts';
import type { EdgeInput } from '../types.ts';

const fresh = useStore();
let h: Harness;
beforeEach(async () => {
  h = await fresh();
});

const edges = () => h.control.api.edges;
const createHttps = (input: EdgeInput) => edges().create(h.caller, 'https', input);
const backendFor = (labels: Record<string, string>) => h.control.api.tunnelGroupBackends.create(h.caller, { labels });

test('a labelled tunnel is reached through an https edge, and leaves it again', async () => {
  const backend = await backendFor({ team: 'web' });
  const edge = await createHttps({ hostports: ['shop.example.test:443', 'www.example.test:8443'], metadata: 'm' });
  const module = { enabled: true, backendId: backend.id };
  const api = await edges().createRoute(h.caller, edge.id, {
    matchType: 'path_prefix',
    match: '/api',
    backend: module,
  });
  const root = await edges().createRoute(h.caller, edge.id, { matchType: 'path_prefix', match: '/' });
  expect(await edges().get(h.caller, 'https', edge.id)).toMatchObject({
    hostports: ['shop.example.test:443', 'www.example.test:8443'],
    metadata: 'm',
    backend: null,
    routes: [api, root],
  });

  const session = await h.connect();
  const id = await h.bindLabels(session, { team: 'web', env: 'prod' });
  const other = await h.bindLabels(session, { team: 'db' });
  const routes = [...h.edge.routes.values()];
  expect(routes.map(({ publicUrl }) => publicUrl)).toEqual([
    'https://shop.example.test:8443',
    'https://www.example.test:8443',
  ]);
  for (const route of routes) {
    expect(route).toMatchObject({
      kind: 'edge',
      routes: [
        { match: '/api', upstreams: [{ tunnelId: id, sessionId: session.sessionId }] },
        { match: '/', upstreams: [] },
      ],
    });
  }
  expect(await h.control.api.tunnelGroupBackends.get(h.caller, backend.id)).toMatchObject({ tunnelIds: [id] });
  expect(await h.control.api.tunnels.get(h.caller, other)).toMatchObject({ labels: { team: 'db' }, endpoint: null });

  await edges().updateRoute(h.caller, edge.id, root?.id ?? '', { backend: module });
  const upstreamsOf = () =>
    [...h.edge.routes.values()].flatMap((route) => route.routes.map((one) => one.upstreams.length));
  expect(upstreamsOf()).toEqual([1, 1, 1, 1]);
  await h.control.api.tunnelGroupBackends.update(h.caller, backend.id, { labels: { team: 'db' } });
  expect([...h.edge.routes.values()][0]?.routes[0]?.upstreams[0]?.tunnelId).toBe(other);
  await h.link.sessionEnded(session.sessionId, 'gone');
  expect(upstreamsOf()).toEqual([0, 0, 0, 0]);

  expect(await edges().removeRoute(h.caller, edge.id, api?.id ?? '')).toBe(true);
  expect(upstreamsOf()).toEqual([0, 0]);
});

test('tls and tcp edges carry their backend themselves', async () => {
  const { id } = await backendFor({ team: 'web' });
  const backend = { enabled: true, backendId: id };
  const tls = await edges().create(h.caller, 'tls', { hostports: ['tls.example.test:443'], backend });
  const tcp = await edges().create(h.caller, 'tcp', { hostports: ['localhost:20002'], backend });
  await h.bindLabels(await h.connect(), { team: 'web' });
  expect([...h.edge.routes.values()].map(({ upstreams }) => upstreams.length)).toEqual([1, 1]);
  await edges().update(h.caller, 'tls', tls.id, { backend: { ...backend, enabled: false } });
  await edges().update(h.caller, 'tcp', tcp.id, { backend: null });
  expect([...h.edge.routes.values()].map(({ upstreams }) => upstreams.length)).toEqual([0, 0]);
  expect(await edges().get(h.caller, 'tcp', tcp.id)).toMatchObject({ backend: null });
  expect(await edges().get(h.caller, 'tls', tcp.id)).toBeNull();
});

test('endpoint rows of type edge: true, stable per hostport, read-only', async () => {
  const edge = await createHttps({ hostports: ['a.example.test:443', 'b.example.test:443'], description: 'd' });
  const { endpoints } = h.control.api;
  const rows = (await endpoints.list(h.caller, { limit: 10 })).items;
  const [b, a] = rows;
  expect(a).toMatchObject({
    type: 'edge',
    url: 'https://a.example.test',
    publicUrl: 'https://a.example.test:8443',
    hostport: 'a.example.test:8443',
    bindings: ['public'],
    description: 'd',
    edge: { id: edge.id, kind: 'https' },
  });
  expect(await h.control.api.reservedDomains.get(h.caller, a?.domainId ?? '')).toMatchObject({
    domain: 'a.example.test',
  });
  expect(await endpoints.get(h.caller, a?.id ?? '')).toEqual(a);
  await expect(endpoints.update(h.caller, a?.id ?? '', { description: '' })).rejects.toMatchObject({ number: 248 });
  await expect(endpoints.remove(h.caller, a?.id ?? '')).rejects.toMatchObject({ number: 248 });

  await edges().update(h.caller, 'https', edge.id, { hostports: ['c.example.test:443', 'b.example.test:443'] });
  const after = (await endpoints.list(h.caller, { limit: 10 })).items;
  expect(after.map(({ host }) => host)).toEqual(['c.example.test', 'b.example.test']);
  expect(after[1]?.id).toBe(b?.id);
  expect(h.edge.urls()).toEqual(['https://b.example.test', 'https://c.example.test']);
  expect(await edges().remove(h.caller, 'https', edge.id)).toBe(true);
  expect(await edges().remove(h.caller, 'https', edge.id)).toBe(false);
  expect(h.edge.routes.size).toBe(0);
});

describe('an edge is refused', () => {
  test.each([
    [{ hostports: ['a.example.test:1'] }, 90_022],
    [{ hostports: ['https://a.example.test:443'] }, 90_022],
    [{ hostports: ['a..example.test:443'] }, 90_022],
    [{ hostports: ['a.internal:443'] }, 90_022],
    [{ hostports: ['a.example.test:443', 'A.example.test:443'] }, 90_022],
    [{ hostports: ['a.example.test:443'], description: 'x'.repeat(256) }, 18_012],
    [{ hostports: ['a.example.test:443'], backend: { enabled: true, backendId: 'bkdtg_x' } }, 90_022],
  ])('%j → %i', async (input, number) => {
    await expect(createHttps(input)).rejects.toMatchObject({ number });
    expect((await edges().list(h.caller, 'https', { limit: 10 })).items).toEqual([]);
    expect((await h.control.api.reservedDomains.list(h.caller, { limit: 10 })).items).toEqual([]);
  });

  test.each([
    [{ match: '/' }, 18_015],
    [{ matchType: 'regex', match: '/' }, 90_022],
    [{ matchType: 'exact_path' }, 18_015],
    [{ matchType: 'exact_path', match: 'x' }, 90_022],
    [{ matchType: 'exact_path', match: '/taken' }, 90_022],
    [{ matchType: 'exact_path', match: '/', backend: { enabled: true, backendId: 'bkdtg_x' } }, 223],
  ])('a route %j → %i', async (input, number) => {
    const edge = await createHttps({ hostports: ['a.example.test:443'] });
    await edges().createRoute(h.caller, edge.id, { matchType: 'exact_path', match: '/taken' });
    await expect(edges().createRoute(h.caller, edge.id, input)).rejects.toMatchObject({ number });
  });

  test('without auto-reserve: 7117', async () => {
    const strict = await fresh({ autoReserve: 'off' });
    const input = { hostports: ['a.example.test:443'] };
    await expect(strict.control.api.edges.create(strict.caller, 'https', input)).rejects.toMatchObject({
      number: 7117,
    });
  });

  test('a port that cannot be opened: 90027, and the edge is not there', async () => {
    h.edge.busyPorts.add(20_001);
    const input = { hostports: ['localhost:20001'] };
    await expect(edges().create(h.caller, 'tcp', input)).rejects.toMatchObject({ number: 90_027 });
    expect((await edges().list(h.caller, 'tcp', { limit: 10 })).items).toEqual([]);
    const edge = await edges().create(h.caller, 'tcp', { hostports: ['localhost:20002'] });
    await expect(edges().update(h.caller, 'tcp', edge.id, input)).rejects.toMatchObject({ number: 90_027 });
    expect(await edges().get(h.caller, 'tcp', edge.id)).toMatchObject({ hostports: ['localhost:20002'] });
    expect(h.edge.urls()).toEqual(['tcp://localhost:20002']);
  });
});

test('a backend in use stays; without labels there is none', async () => {
  const { tunnelGroupBackends } = h.control.api;
  const backend = await backendFor({ a: 'b' });
  const edge = await edges().create(h.caller, 'tcp', { backend: { enabled: true, backendId: backend.id } });
  await expect(tunnelGroupBackends.remove(h.caller, backend.id)).rejects.toMatchObject({ number: 90_028 });
  await edges().remove(h.caller, 'tcp', edge.id);
  expect(await tunnelGroupBackends.remove(h.caller, backend.id)).toBe(true);
  await expect(tunnelGroupBackends.create(h.caller, {})).rejects.toMatchObject({ number: 18_015 });
});

test('edges and what they lead to are there after a restart', async () => {
  const backend = await backendFor({ a: 'b' });
  const edge = await createHttps({ hostports: ['a.example.test:443'] });
  await edges().createRoute(h.caller, edge.id, {
    matchType: 'path_prefix',
    match: '/',
    backend: { enabled: true, backendId: backend.id },
  });
  const before = [...h.edge.routes.values()];
  const after = await h.restart();
  expect([...after.edge.routes.values()]).toEqual(before);
  await after.bindLabels(await after.connect(), { a: 'b' });
  expect([...after.edge.routes.values()][0]?.routes[0]?.upstreams).toHaveLength(1);
});

test('empty members that clients send with every call ask for nothing', async () => {
  const none = { enabled: true, backendId: '' };
  const tls = await edges().create(h.caller, 'tls', { hostports: ['t.example.test:443'], backend: none });
  expect(tls.backend).toBeNull();
  const backend = await backendFor({ team: 'web' });
  const edge = await createHttps({ hostports: ['h.example.test:443'] });
  const module = { enabled: true, backendId: backend.id };
  const route = await edges().createRoute(h.caller, edge.id, { matchType: 'exact_path', match: '/a', backend: module });
  const changed = await edges().updateRoute(h.caller, edge.id, route?.id ?? '', {
    matchType: '',
    match: '',
    description: 'd',
  });
  expect(changed).toEqual({ ...route, description: 'd' });
});
