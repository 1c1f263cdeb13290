import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { loginsOfOne, VisitorSessions } from './sessions.ts';

const keyOf = (id: number) => ({ id, key: randomBytes(32) });

function start(keys = [keyOf(2_900)]) {
  const clock = { now: 1_000_000 };
  const sessions = new VisitorSessions({
    now: () => clock.now,
    tell: () => {},
    shared: loginsOfOne(() => clock.now),
    sharedDomains: ['base.test', 'deep.other.test'],
  });
  sessions.sealWith(keys);
  return { clock, sessions };
}

describe('what browsers keep', () => {
  it('opens in its place alone, and not when a bit of it is another', () => {
    const { sessions } = start();
    const sealed = sessions.seal('readable text ä', 'session a');
    expect(sealed).not.toContain('readable');
    expect(sealed).toMatch(/^[\w.-]+$/);
    expect(sessions.open(sealed, 'session a')).toEqual({ text: 'readable text ä', old: false });
    expect(sessions.open(sealed, 'session b')).toBe(null);
    for (let at = sealed.indexOf('.') + 1; at < sealed.length; at++) {
      const letter = sealed[at] === 'A' ? 'Q' : 'A';
      // The last letter has bits that no byte has.
      const other = sealed.slice(0, at) + letter + sealed.slice(at + 1);
      const opened = sessions.open(other, 'session a');
      expect(opened === null || at === sealed.length - 1).toBe(true);
    }
    expect(sessions.seal('readable text ä', 'session a')).not.toBe(sealed);
  });

  it.each([
    '',
    '.',
    'x',
    '28k.',
    '28k.AAAA',
    `28k.${'A'.repeat(40)}`,
    `28k.${'A'.repeat(20_000)}`,
    'zz.AAAA',
    '28k.%%',
  ])('is nothing that strangers can make up: %s', (text) => {
    expect(start().sessions.open(text, 'session a')).toBe(null);
  });

  it('opens at every edge, after a restart, and by keys of weeks before; the first one seals', () => {
    const [now, before, long] = [keyOf(3), keyOf(2), keyOf(1)];
    const sealed = start([before]).sessions.seal('text', 'p');
    const { sessions } = start([now, before]);
    expect(sessions.open(sealed, 'p')).toEqual({ text: 'text', old: true });
    expect(sessions.open(start([long]).sessions.seal('text', 'p'), 'p')).toBe(null);
    expect(start([now]).sessions.open(sessions.seal('text', 'p'), 'p')).toEqual({ text: 'text', old: false });
    // The same name with another key.
    expect(start([keyOf(2)]).sessions.open(sealed, 'p')).toBe(null);
    expect(() => start([]).sessions.seal('text', 'p')).toThrow(/nobody has said/);
  });
});

describe('sessions', () => {
  it('that have ended are known, as many as there is room for', () => {
    const { sessions, clock } = start();
    const over = (id: string): boolean => sessions.isOver(id, 'nobody', Infinity);
    sessions.ended('one', clock.now + 1_000);
    expect([over('one'), over('two')]).toEqual([true, false]);
    for (let n = 0; n < 49_999; n++) sessions.ended(`other ${n}`, clock.now + 1_000);
    expect(over('one')).toBe(true);
    sessions.ended('last', clock.now + 1_000);
    expect([over('one'), over('other 0'), over('last')]).toEqual([false, true, true]);
  });

  it('do once what several requests ask for, and for a minute after', async () => {
    const { sessions, clock } = start();
    let count = 0;
    const work = async (): Promise<number> => {
      await new Promise((resolve) => setImmediate(resolve));
      return ++count;
    };
    const ask = (key: string, keep = true): Promise<number> => sessions.once(key, work, () => keep);
    expect(await Promise.all([ask('a'), ask('a'), ask('b')])).toEqual([1, 1, 2]);
    clock.now += 59_999;
    expect(await ask('a')).toBe(1);
    clock.now += 1;
    expect(await ask('a')).toBe(3);
    // What is not worth keeping is asked for again.
    expect(await Promise.all([ask('c', false), ask('c', false)])).toEqual([4, 4]);
    expect(await ask('c')).toBe(5);
    const failing = (): Promise<number> => Promise.reject(new Error('no'));
    await expect(sessions.once('d', failing, () => true)).rejects.toThrow('no');
    expect(await ask('d')).toBe(6);
  });

  it('are for no domain that several accounts have hosts under', () => {
    const { sessions } = start();
    const shared = ['base.test', 'test', 'other.test', 'a.base.test', 'xbase.test'].map((one) =>
      sessions.isShared(one),
    );
    expect(shared).toEqual([true, true, true, false, false]);
  });
});

describe('what control says has ended', () => {
  const ended = (id: string, begunBefore = 0) => ({ kind: 'ended-login', id, accountId: 'ac_1', begunBefore }) as const;

  it('is over: a session by its id, of a user what he had begun before', () => {
    const { sessions } = start();
    const upserts = [ended('as_1'), ended('au_1', 500)];
    sessions.apply({ snapshot: false, upserts, removes: [] });
    expect(sessions.isOver('as_1', 'au_2', 900)).toBe(true);
    expect(sessions.isOver('as_2', 'au_1', 499)).toBe(true);
    expect(sessions.isOver('as_2', 'au_1', 500)).toBe(false);
    expect(sessions.isOver('as_2', 'au_2', 1)).toBe(false);
  });

  it('goes when control forgets it, or knows of nothing', () => {
    const { sessions } = start();
    sessions.apply({ snapshot: true, upserts: [ended('as_1'), ended('as_2')], removes: [] });
    sessions.apply({ snapshot: false, upserts: [], removes: ['as_1'] });
    const over = (id: string): boolean => sessions.isOver(id, 'nobody', Infinity);
    expect([over('as_1'), over('as_2')]).toEqual([false, true]);
    sessions.apply({ snapshot: true, upserts: [], removes: [] });
    expect(over('as_2')).toBe(false);
  });
});

it('of the requests of a session, one in ten minutes is worth telling', () => {
  const { clock, sessions } = start();
  expect([sessions.isUnseen('a'), sessions.isUnseen('a'), sessions.isUnseen('b')]).toEqual([true, false, true]);
  clock.now += 600_000;
  expect([sessions.isUnseen('b'), sessions.isUnseen('a'), sessions.isUnseen('b')]).toEqual([true, true, false]);
  // Who fills it gets no message for each request.
  for (let n = 0; n < 60_000; n += 1) sessions.isUnseen(String(n));
  expect(sessions.isUnseen('one more')).toBe(false);
  clock.now += 600_000;
  expect(sessions.isUnseen('one more')).toBe(true);
});

it('what may be used once is spent by who comes first, for as long as it could be used', () => {
  const { clock, sessions } = start();
  const spend = (key: string, forMs: number): unknown => sessions.spend(key, clock.now + forMs);
  expect([spend('a', 5_000), spend('a', 5_000), spend('b'.repeat(100_000), 1)]).toEqual([true, false, true]);
  clock.now += 4_999;
  expect(spend('a', 1)).toBe(false);
  for (let n = 0; n < 49_998; n += 1) spend(String(n), 60_000);
  expect(spend('a', 1)).toBe(false);
  // Where there are more than that, the oldest are forgotten.
  spend('one more', 60_000);
  spend('and one', 60_000);
  expect(spend('a', 1)).toBe(true);
});
