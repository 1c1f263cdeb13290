import type { LoginEvent } from '@postern/link';
import { expect, test } from 'vitest';
import { FakeEdge } from '../testing/fake-edge.ts';
import { useStore, type Harness } from '../testing/harness.ts';

const open = useStore();
/** Where the clock of a harness stands. */
const NOW = Date.UTC(2026, 10, 24, 12);
const ID = '0ujtsYcgvSTl8PAuAdqWYSMnLOv';
const AGENT = { raw: '', browserName: '', browserVersion: '', deviceType: '', osName: '', osVersion: '' };

function began({ caller }: Harness, change: Partial<Extract<LoginEvent, { kind: 'began' }>> = {}): LoginEvent {
  return {
    kind: 'began',
    accountId: caller.accountId,
    sessionId: `as_${ID}`,
    at: NOW - 5_000,
    until: 0,
    user: { id: `au_${ID}`, provider: 'google', subject: 's', email: 'a@a.test', name: 'Ada' },
    browser: { userAgent: AGENT, ipAddress: '192.0.2.1' },
    endpointId: `ep_${ID}`,
    url: 'https://a.example.test',
    ...change,
  };
}

/** What an edge is told has ended, and before when. */
function ended(edge: FakeEdge): readonly (readonly [string, number])[] {
  return [...edge.resources.values()].flatMap((one) =>
    one.kind === 'ended-login' ? [[one.id, one.begunBefore] as const] : [],
  );
}

async function count(h: Harness): Promise<readonly number[]> {
  const page = { limit: 100 };
  const { applicationUsers, applicationSessions } = h.control.api;
  const [users, sessions] = await Promise.all([
    applicationUsers.list(h.caller, page),
    applicationSessions.list(h.caller, page),
  ]);
  return [users.items.length, sessions.items.length];
}

test('what is deleted is told to every edge before the call has answered, and to one that comes later', async () => {
  const h = await open();
  const second = new FakeEdge();
  await h.control.connectEdge().link.follow(second);
  h.link.login(began(h));
  await expect.poll(() => count(h)).toEqual([1, 1]);
  expect(await h.control.api.applicationSessions.remove(h.caller, `as_${ID}`)).toBe(true);
  for (const edge of [h.edge, second]) expect(ended(edge)).toEqual([[`as_${ID}`, 0]]);
  // Word of its beginning that comes again makes no session of it.
  h.link.login(began(h));
  h.link.login(began(h, { sessionId: 'as_other' }));
  await expect.poll(() => count(h)).toEqual([1, 1]);
  expect(await h.control.api.applicationUsers.remove(h.caller, `au_${ID}`)).toBe(true);
  const third = new FakeEdge();
  await h.control.connectEdge().link.follow(third);
  for (const edge of [h.edge, second, third]) {
    const times = new Map(ended(edge));
    expect([...times.keys()].toSorted()).toEqual([`as_${ID}`, `au_${ID}`]);
    expect(times.get(`au_${ID}`)).toBe(NOW + 1);
  }
  expect(await count(h)).toEqual([0, 0]);
});

test('who logs out is out at the other edges, and what is over by itself needs no row', async () => {
  const h = await open();
  const second = new FakeEdge();
  await h.control.connectEdge().link.follow(second);
  const { accountId } = h.caller;
  h.link.login(began(h));
  h.link.login({ kind: 'ended', accountId, sessionId: 'as_past', until: NOW - 1 });
  h.link.login({ kind: 'ended', accountId, sessionId: `as_${ID}`, until: 0 });
  await expect.poll(() => ended(second)).toEqual([[`as_${ID}`, 0]]);
  expect(await count(h)).toEqual([1, 0]);
  const [row] = await h.store.all('endedLogins');
  // No key opens after that what was sealed before.
  expect((row?.until ?? 0) - NOW).toBe(42 * 86_400_000);
});

test('another account has none of it', async () => {
  const h = await open();
  h.link.login(began(h));
  await expect.poll(() => count(h)).toEqual([1, 1]);
  const other = { ...h.caller, accountId: 'ac_other' };
  expect(await h.control.api.applicationSessions.remove(other, `as_${ID}`)).toBe(false);
  expect(await h.control.api.applicationUsers.get(other, `au_${ID}`)).toBeNull();
  expect(ended(h.edge)).toEqual([]);
});

test('what nobody has anything of any more is forgotten, here and at the edges', async () => {
  const h = await open();
  const { accountId } = h.caller;
  h.link.login(began(h, { until: NOW + 60_000 }));
  h.link.login({ kind: 'ended', accountId, sessionId: 'as_short', until: NOW + 60_000 });
  h.link.login({ kind: 'ended', accountId, sessionId: 'as_long', until: 0 });
  await expect.poll(() => ended(h.edge).length).toBe(2);
  h.advance(62_000);
  const later = await h.restart();
  await expect.poll(() => ended(later.edge)).toEqual([['as_long', 0]]);
  expect(await count(later)).toEqual([1, 0]);
  later.advance(43 * 86_400_000);
  const last = await later.restart();
  await expect.poll(() => last.store.all('endedLogins')).toEqual([]);
  expect(ended(last.edge)).toEqual([]);
});

test('of too many log-ins the newest are listed, and the user keeps his', async () => {
  const h = await open();
  const most = 10_000;
  const idOf = (number: number): string => `as_${String(number).padStart(27, '0')}`;
  for (let sent = 0; sent <= most; sent += 1) {
    h.link.login(began(h, { sessionId: idOf(sent) }));
    // No more wait than are kept waiting.
    // oxlint-disable-next-line no-await-in-loop
    if (sent % 5_000 === 4_999)
      await expect.poll(async () => (await h.store.applicationSessions.get(idOf(sent))) !== null).toBe(true);
  }
  await expect.poll(async () => (await h.store.applicationSessions.get(idOf(most))) !== null).toBe(true);
  const rows = await h.store.all('applicationSessions');
  expect(rows.length).toBeLessThanOrEqual(most);
  expect(rows.map(({ id }) => id).toSorted()[0]).toBe(idOf(most + 1 - rows.length));
  expect(await count(h)).toEqual([1, 100]);
  expect(ended(h.edge)).toEqual([]);
});
