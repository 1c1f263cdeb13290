import { beforeEach, describe, expect, test } from 'vitest';
import { POLICY, useStore, type Harness } from '../testing/harness.ts';

const fresh = useStore();
let h: Harness;
beforeEach(async () => {
  h = await fresh();
});

describe('reserved domains', () => {
  test('lower-case as given; a name of ours needs no CNAME, another one does', async () => {
    const { reservedDomains } = h.control.api;
    const mine = await reservedDomains.create(h.caller, { domain: 'App.Mine.Example', description: 'd' });
    expect(mine).toMatchObject({ domain: 'app.mine.example', cnameTarget: 'postern.localhost', description: 'd' });
    const ours = await reservedDomains.create(h.caller, { name: 'x.example.test' });
    expect(ours.cnameTarget).toBeNull();
    expect(await reservedDomains.update(h.caller, mine.id, { description: '' })).toMatchObject({ description: '' });
    expect((await reservedDomains.list(h.caller, { limit: 1 })).items).toEqual([ours]);
    expect(await reservedDomains.remove(h.caller, mine.id)).toBe(true);
    expect(await reservedDomains.get(h.caller, mine.id)).toBeNull();
  });

  test('blanks around a name and a dot behind it mean nothing', async () => {
    const { reservedDomains } = h.control.api;
    const made = await reservedDomains.create(h.caller, { domain: ' App.Mine.Example.\n' });
    expect(made.domain).toBe('app.mine.example');
    const again = reservedDomains.create(h.caller, { domain: 'app.mine.example.' });
    await expect(again).rejects.toMatchObject({ number: 413 });
  });

  test.each([
    [{}, 18_015],
    [{ domain: ' . ' }, 18_015],
    [{ domain: 'a.example..' }, 409],
    [{ domain: 'a.x.y', name: 'b.x.y' }, 449],
    [{ domain: 'a.*.example' }, 402],
    [{ domain: 'a*.mine.example' }, 403],
    [{ domain: 'a b.example' }, 406],
    [{ domain: '-a.example' }, 407],
    [{ domain: 'a-.example' }, 408],
    [{ domain: 'a..example' }, 409],
    [{ domain: 'ab--c.example' }, 410],
    [{ domain: 'a.internal' }, 411],
    [{ domain: 'taken.example' }, 413],
    [{ domain: 'xn--a.example' }, 429],
    [{ domain: 'a_b.example' }, 438],
    [{ domain: 'single' }, 448],
    [{ domain: `${'a'.repeat(64)}.example` }, 513],
    [{ domain: `${'a.'.repeat(127)}example` }, 514],
    [{ domain: 'a.example', description: 'x'.repeat(256) }, 420],
    [{ domain: 'a.example', metadata: 'x'.repeat(4097) }, 421],
    [{ domain: 'a.example', region: 'no region' }, 500],
    [{ domain: 'connect.postern.localhost' }, 90_029],
  ])('%j → %i', async (input, number) => {
    const { reservedDomains } = h.control.api;
    await reservedDomains.create(h.caller, { domain: 'taken.example' });
    await expect(reservedDomains.create(h.caller, input)).rejects.toMatchObject({ number });
    expect((await reservedDomains.list(h.caller, { limit: 9 })).items).toHaveLength(1);
  });

  test('in use by a cloud endpoint, an edge, an online agent: 446 names them', async () => {
    const { reservedDomains, endpoints, edges } = h.control.api;
    const domain = await reservedDomains.create(h.caller, { domain: '*.mine.example' });
    const cloud = await endpoints.create(h.caller, { url: 'https://a.mine.example', trafficPolicy: POLICY });
    await expect(reservedDomains.remove(h.caller, domain.id)).rejects.toThrow(cloud.id);
    await endpoints.remove(h.caller, cloud.id);
    const edge = await edges.create(h.caller, 'https', { hostports: ['b.mine.example:443'] });
    await expect(reservedDomains.remove(h.caller, domain.id)).rejects.toThrow(edge.id);
    await edges.remove(h.caller, 'https', edge.id);
    const session = await h.connect();
    await h.bind(session, { domain: 'c.mine.example' });
    await expect(reservedDomains.remove(h.caller, domain.id)).rejects.toThrow(session.sessionId);
    await h.link.sessionEnded(session.sessionId, 'gone');
    expect(await reservedDomains.remove(h.caller, domain.id)).toBe(true);
    await expect(reservedDomains.update(h.caller, domain.id, {})).resolves.toBeNull();
  });
});

describe('reserved addresses', () => {
  test('the server picks free ports until there are none', async () => {
    const { reservedAddrs, endpoints } = h.control.api;
    await h.bind(await h.connect(), { addr: 'localhost:20000' }, { proto: 'tcp' });
    await endpoints.create(h.caller, { url: 'tcp://localhost:20001', trafficPolicy: POLICY });
    const seen = new Set<string>();
    for (let count = 0; count < 8; count += 1) seen.add((await reservedAddrs.create(h.caller, {})).addr);
    expect(seen.size).toBe(8);
    expect(seen).not.toContain('localhost:20000');
    expect(seen).not.toContain('localhost:20001');
    await expect(reservedAddrs.create(h.caller, {})).rejects.toMatchObject({ number: 503 });
    await expect(h.bind(await h.connect(), {}, { proto: 'tcp' })).rejects.toMatchObject({ number: 503 });
  });

  test('a reserved one is bound by name, refused while in use, and stays after its endpoint', async () => {
    const { reservedAddrs, endpoints } = h.control.api;
    const made = await reservedAddrs.create(h.caller, { metadata: 'm' });
    const cloud = await endpoints.create(h.caller, { url: `tcp://${made.addr}`, trafficPolicy: POLICY });
    expect(cloud.tcpAddrId).toBe(made.id);
    await expect(reservedAddrs.remove(h.caller, made.id)).rejects.toMatchObject({ number: 90_026 });
    await endpoints.remove(h.caller, cloud.id);
    expect(await reservedAddrs.get(h.caller, made.id)).toEqual(made);
    const session = await h.connect();
    await h.bind(session, { addr: made.addr }, { proto: 'tcp' });
    await expect(reservedAddrs.remove(h.caller, made.id)).rejects.toThrow(session.sessionId);
    await expect(reservedAddrs.update(h.caller, made.id, {})).rejects.toMatchObject({ number: 506 });
    expect(await reservedAddrs.update(h.caller, made.id, { metadata: '' })).toMatchObject({ metadata: '' });
  });

  test('without auto-reserve a tcp endpoint needs one', async () => {
    const strict = await fresh({ autoReserve: 'off' });
    const input = { url: 'tcp://localhost:20001', trafficPolicy: POLICY };
    await expect(strict.control.api.endpoints.create(strict.caller, input)).rejects.toMatchObject({ number: 18_006 });
    const session = await strict.connect();
    await expect(strict.bind(session, { addr: 'localhost:20001' }, { proto: 'tcp' })).rejects.toMatchObject({
      number: 307,
    });
    expect((await strict.bind(session, {}, { proto: 'tcp' })).url).toMatch(/^tcp:/);
  });
});

describe('credentials', () => {
  test('the token is shown once; ACL rules are checked', async () => {
    const { credentials } = h.control.api;
    const made = await credentials.create(h.caller, { acl: ['bind:*.example.test'], description: 'd' });
    expect(made.token).toMatch(/^[0-9A-Za-z]{27}_[0-9A-Za-z]{21}$/);
    expect(await credentials.get(h.caller, made.id)).toEqual({ ...made, token: null });
    await expect(credentials.create(h.caller, { acl: ['nonsense'] })).rejects.toMatchObject({ number: 600 });
    await expect(credentials.create(h.caller, { ownerId: 'bot_x' })).rejects.toMatchObject({ number: 223 });
    await expect(credentials.update(h.caller, made.id, {})).rejects.toMatchObject({ number: 606 });
    expect(await credentials.update(h.caller, made.id, { acl: [] })).toMatchObject({ acl: [], description: 'd' });
    expect(await credentials.update(h.caller, 'cr_none', { acl: [] })).toBeNull();
  });
});

test('a certificate is wanted for base domains, reservations, endpoints and edges, and for nothing else', async () => {
  const { endpoints, reservedDomains, edges } = h.control.api;
  await reservedDomains.create(h.caller, { domain: '*.wild.example' });
  await endpoints.create(h.caller, { url: 'tls://t.mine.example', trafficPolicy: POLICY });
  await edges.create(h.caller, 'https', { hostports: ['e.mine.example:443'] });
  const session = await h.connect();
  const { url } = await h.bind(session, {});
  const below = (domain: string) => ({ kind: 'below', domain });
  const covers = {
    'postern.localhost': below('postern.localhost'),
    'Any.postern.localhost': below('postern.localhost'),
    'a.b.wild.example': below('wild.example'),
    't.mine.example': { kind: 'name' },
    'e.mine.example': { kind: 'name' },
    [new URL(url).hostname]: { kind: 'name' },
    'wild.example': null,
    'x.mine.example': null,
    localhost: null,
    '': null,
  };
  for (const [name, cover] of Object.entries(covers)) expect(await h.control.coverOf(name), name).toEqual(cover);
});
