import { beforeEach, describe, expect, test } from 'vitest';
import { POLICY, useStore, type Harness } from '../testing/harness.ts';

const fresh = useStore();
let h: Harness;
beforeEach(async () => {
  h = await fresh();
});

const online = async () =>
  (await h.control.api.endpoints.list(h.caller, { limit: 100 })).items.map(({ url, tunnelSessionId }) => ({
    url,
    session: tunnelSessionId,
  }));

describe('the same agent comes back', () => {
  test('with its cookie: same client id, the silent session ends at once', async () => {
    const first = await h.connect();
    const bound = await h.bind(first, { domain: 'a.example.test' });
    const second = await h.connect({ clientId: first.clientId, cookie: first.cookie });
    expect(second.clientId).toBe(first.clientId);
    expect(second.sessionId).not.toBe(first.sessionId);
    expect(h.edge.closed).toEqual([{ sessionId: first.sessionId, reason: expect.stringContaining('same agent') }]);
    const again = await h.bind(second, { domain: 'a.example.test' }, { id: bound.id, token: bound.token });
    expect(again).toMatchObject({ id: bound.id, url: bound.url, tunnelId: bound.tunnelId });
    expect(await online()).toEqual([{ url: bound.url, session: second.sessionId }]);
    // The old wire's end arrives late and must not take the new session's endpoint with it.
    await h.link.sessionEnded(first.sessionId, 'closed');
    expect(await online()).toEqual([{ url: bound.url, session: second.sessionId }]);
    expect(h.edge.routes.size).toBe(1);
  });

  test('with its resume token alone, while the old session still looks alive', async () => {
    const bound = await h.bind(await h.connect(), {});
    const second = await h.connect();
    const again = await h.bind(second, {}, { id: bound.id, token: bound.token });
    expect(again).toMatchObject({ id: bound.id, url: bound.url });
    expect(await online()).toEqual([{ url: bound.url, session: second.sessionId }]);
    expect(h.edge.probed).toEqual([]);
  });

  test.each(['https', 'tcp', 'tls', 'http'])('after the server restarted: %s keeps id and URL', async (proto) => {
    const first = await h.connect();
    const bound = await h.bind(first, {}, { proto });
    const after = await h.restart();
    const session = await after.connect({ clientId: first.clientId, cookie: first.cookie });
    expect(session.clientId).toBe(first.clientId);
    const again = await after.bind(session, {}, { proto, id: bound.id, token: bound.token });
    expect(again).toMatchObject({ id: bound.id, url: bound.url, tunnelId: bound.tunnelId });
  });

  test('a token of this account moves its endpoint when another name is asked for', async () => {
    const session = await h.connect();
    const bound = await h.bind(session, { domain: 'a.example.test' });
    const moved = await h.bind(session, { domain: 'b.example.test' }, { id: bound.id, token: bound.token });
    expect(moved).toMatchObject({ id: bound.id, url: 'https://b.example.test:8443' });
    expect(h.edge.urls()).toEqual(['https://b.example.test']);
  });

  test('an id without a token is not honoured', async () => {
    const victim = await h.bind(await h.connect(), { domain: 'a.example.test' });
    const other = await h.bind(await h.connect({}, '10.0.0.9'), { domain: 'b.example.test' }, { id: victim.id });
    expect(other.id).not.toBe(victim.id);
    expect(await online()).toHaveLength(2);
  });

  test('another leg of the same agent joins and displaces nobody', async () => {
    const first = await h.connect();
    const bound = await h.bind(first, { domain: 'a.example.test' });
    const leg = await h.connect({ clientId: first.clientId, cookie: first.cookie, legNumber: 1 });
    const again = await h.bind(leg, { domain: 'a.example.test' }, { id: bound.id, token: bound.token });
    expect(again.id).toBe(bound.id);
    expect(await online()).toHaveLength(2);
    expect(h.edge.closed).toEqual([]);
  });
});

describe('a new process asks for the URL of an old one', () => {
  test('which was killed: its session ended with its socket', async () => {
    const first = await h.connect();
    await h.bind(first, { domain: 'a.example.test' });
    await h.link.sessionEnded(first.sessionId, 'closed');
    expect(h.edge.routes.size).toBe(0);
    await h.bind(await h.connect(), { domain: 'a.example.test' });
  });

  test('which is silent for long: it loses that address, nothing else, and its token wins it back', async () => {
    const stopped = await h.connect();
    const first = await h.bind(stopped, { domain: 'a.example.test' });
    const second = await h.bind(stopped, { domain: 'b.example.test' });
    h.edge.silent.add(stopped.sessionId);
    const fresher = await h.connect();
    const bound = await h.bind(fresher, { domain: 'a.example.test' });
    expect(h.edge.probed).toEqual([stopped.sessionId]);
    expect(h.edge.closed).toEqual([]);
    // It is told nothing either: it would give up a listener that it may have back.
    expect(h.edge.stopped).toEqual([]);
    expect(await online()).toEqual([
      { url: bound.url, session: fresher.sessionId },
      { url: second.url, session: stopped.sessionId },
    ]);

    const back = await h.connect({ clientId: stopped.clientId, cookie: stopped.cookie });
    const again = await h.bind(back, { domain: 'a.example.test' }, { id: first.id, token: first.token });
    expect(again).toMatchObject({ id: first.id, url: first.url });
    expect(h.edge.stopped).toEqual([bound.id]);
    expect(h.edge.urls()).toEqual(['https://a.example.test']);
    // Whoever took it has no claim on it.
    const retry = h.bind(fresher, { domain: 'a.example.test' }, { id: bound.id, token: bound.token });
    await expect(retry).rejects.toMatchObject({ number: 334 });
  });

  test('which wakes before its session ends: it has the address again, and the newcomer is told', async () => {
    const sleeping = await h.connect();
    const mine = await h.bind(sleeping, { domain: 'a.example.test' });
    const tcp = await h.bind(sleeping, { addr: 'localhost:20003' }, { proto: 'tcp' });
    h.edge.silent.add(sleeping.sessionId);
    const fresher = await h.connect();
    const taken = await h.bind(fresher, { domain: 'a.example.test' });
    await h.link.unbind(fresher.sessionId, (await h.bind(fresher, { addr: 'localhost:20003' }, { proto: 'tcp' })).id);
    expect(await online()).toEqual([{ url: taken.url, session: fresher.sessionId }]);
    h.edge.silent.clear();
    await expect
      .poll(() => online())
      .toEqual([
        { url: tcp.url, session: sleeping.sessionId },
        { url: mine.url, session: sleeping.sessionId },
      ]);
    expect(h.edge.stopped).toEqual([taken.id]);
    expect(h.edge.urls()).toEqual(['https://a.example.test', 'tcp://localhost:20003']);
    const { items } = await h.control.api.reservedAddrs.list(h.caller, { limit: 9 });
    expect(items.map(({ addr }) => addr)).toEqual(['localhost:20003']);
  });

  test('which wakes where somebody else has a right to the address: it is told', async () => {
    const sleeping = await h.connect();
    const mine = await h.bind(sleeping, { domain: 'a.example.test' });
    h.edge.silent.add(sleeping.sessionId);
    const fresher = await h.connect();
    const taken = await h.bind(fresher, { domain: 'a.example.test' });
    await h.link.unbind(fresher.sessionId, taken.id);
    await h.control.api.endpoints.create(h.caller, { url: 'https://a.example.test', trafficPolicy: POLICY });
    h.edge.silent.clear();
    await expect.poll(() => h.edge.stopped).toEqual([mine.id]);
    expect(await online()).toHaveLength(1);
  });

  test('which closed that listener meanwhile: it stays with whoever took it', async () => {
    const sleeping = await h.connect();
    const mine = await h.bind(sleeping, { domain: 'a.example.test' });
    h.edge.silent.add(sleeping.sessionId);
    const taken = await h.bind(await h.connect(), { domain: 'a.example.test' });
    await h.link.unbind(sleeping.sessionId, mine.id);
    h.edge.silent.clear();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await online()).map(({ url }) => url)).toEqual([taken.url]);
    expect(h.edge.stopped).toEqual([]);
  });

  test('whose connection broke: the newcomer has it until the owner shows its token', async () => {
    const lost = await h.connect();
    const mine = await h.bind(lost, {}, { proto: 'tcp' });
    await h.link.sessionEnded(lost.sessionId, 'closed');
    const addr = mine.url.slice('tcp://'.length);
    const other = await h.connect({}, '10.0.0.9');
    const taken = await h.bind(other, { addr }, { proto: 'tcp' });
    expect(taken.url).toBe(mine.url);
    const back = await h.connect({ clientId: lost.clientId, cookie: lost.cookie });
    const again = await h.bind(back, { addr }, { proto: 'tcp', id: mine.id, token: mine.token });
    expect(again).toMatchObject({ id: mine.id, url: mine.url });
    expect(await online()).toEqual([{ url: mine.url, session: back.sessionId }]);
  });

  test('and both share it: whoever was away joins again, and displaces nobody', async () => {
    const share = { poolingEnabled: true };
    const lost = await h.connect();
    const mine = await h.bind(lost, { domain: 'a.example.test' }, share);
    await h.link.sessionEnded(lost.sessionId, 'closed');
    await h.bind(await h.connect({}, '10.0.0.9'), { domain: 'a.example.test' }, share);
    const back = await h.connect({ clientId: lost.clientId, cookie: lost.cookie });
    await h.bind(back, { domain: 'a.example.test' }, { ...share, id: mine.id, token: mine.token });
    expect(await online()).toHaveLength(2);
    expect(h.edge.stopped).toEqual([]);
  });

  test('whose connection broke long ago: the newcomer keeps it', async () => {
    const lost = await h.connect();
    const mine = await h.bind(lost, { domain: 'a.example.test' });
    await h.link.sessionEnded(lost.sessionId, 'closed');
    h.advance(301_000);
    await h.bind(await h.connect({}, '10.0.0.9'), { domain: 'a.example.test' });
    const back = await h.connect({ clientId: lost.clientId, cookie: lost.cookie });
    const again = h.bind(back, { domain: 'a.example.test' }, { id: mine.id, token: mine.token });
    await expect(again).rejects.toMatchObject({ number: 334 });
  });

  test('which came over the other loopback', async () => {
    const stopped = await h.connect({}, '[::1]');
    await h.bind(stopped, { domain: 'a.example.test' });
    h.edge.silent.add(stopped.sessionId);
    await h.bind(await h.connect(), { domain: 'a.example.test' });
  });

  test('which answers: 334', async () => {
    const alive = await h.connect();
    await h.bind(alive, { domain: 'a.example.test' });
    await expect(h.bind(await h.connect(), { domain: 'a.example.test' })).rejects.toMatchObject({ number: 334 });
    expect(h.edge.probed).toEqual([alive.sessionId]);
    expect(h.edge.closed).toEqual([]);
  });

  test.each([
    ['from another machine', {}, '10.0.0.7'],
    ['of another kind', { clientType: 'other' }, '127.0.0.1'],
  ])('but comes %s: 334 without a question', async (_name, request, ip) => {
    const first = await h.connect();
    await h.bind(first, { domain: 'a.example.test' });
    h.edge.silent.add(first.sessionId);
    await expect(h.bind(await h.connect(request, ip), { domain: 'a.example.test' })).rejects.toMatchObject({
      number: 334,
    });
    expect(h.edge.probed).toEqual([]);
  });

  test('with another credential: 334 without a question', async () => {
    const first = await h.connect();
    await h.bind(first, { domain: 'a.example.test' });
    h.edge.silent.add(first.sessionId);
    const { token } = await h.control.api.credentials.create(h.caller, {});
    const other = await h.connect({ authtoken: token ?? '' });
    await expect(h.bind(other, { domain: 'a.example.test' })).rejects.toMatchObject({ number: 334 });
    expect(h.edge.probed).toEqual([]);
  });

  test('the same session twice: 334', async () => {
    const session = await h.connect();
    await h.bind(session, { domain: 'a.example.test' });
    await expect(h.bind(session, { domain: 'a.example.test' })).rejects.toMatchObject({ number: 334 });
  });
});
