import { describe, expect, test } from 'vitest';
import type { Turn } from '../http/policy/call-turns.ts';
import { raise } from '../testing/no-link.ts';
import { AskingShares } from './asking.ts';
import { ShareKeeper } from './keeper.ts';
import type { Ask, Order, Told } from './shares.ts';

const LIMITS = { connections: 4, connectionsPerIp: 3 };
const COUNT = { set: 's', capacity: 5, windowMs: 60_000, slices: 6 };
const BREAKER = { name: 'b', errorShare: 0.5, volume: 4, windowMs: 60_000, slices: 6, trippedMs: 1_000 };

interface Edge {
  readonly shares: AskingShares;
  /** Questions that it has sent. */
  readonly asked: (readonly Ask[])[];
  /** Sessions that it was told are over. */
  readonly over: string[];
  die(): void;
}

/** A keeper, and edges that reach it by messages: copies, later. */
function node(): { keeper: ShareKeeper; join: () => Edge; clock: { now: number } } {
  const clock = { now: 1_000 };
  const keeper = new ShareKeeper(LIMITS, () => clock.now);
  let edges = 0;
  const join = (): Edge => {
    const asked: (readonly Ask[])[] = [];
    const over: string[] = [];
    const gone = Promise.withResolvers<never>();
    gone.promise.catch(() => {});
    /** Until the edge dies. */
    const alive = <T>(answer: Promise<T>): Promise<T> => Promise.race([answer, gone.promise]);
    const side = keeper.join({
      name: `e${(edges += 1)}`,
      order: (orders: readonly Order[]) => queueMicrotask(() => shares.ordered(structuredClone(orders))),
      work: (kind, key) => alive(turn().then(async () => structuredClone(await shares.work(kind, key)))),
      ended: (sessionId, until) => alive(turn().then(() => shares.ended(sessionId, until))),
    });
    const shares: AskingShares = new AskingShares(
      {
        ask(asks) {
          asked.push(asks);
          return Promise.resolve().then(() => side.answer(structuredClone(asks)));
        },
        tell: (told: readonly Told[]) => queueMicrotask(() => side.told(structuredClone(told))),
        once: async (kind, key) => structuredClone(await side.once(kind, key)),
        end: (sessionId, until) => side.end(sessionId, until),
      },
      () => clock.now,
    );
    shares.follow((sessionId) => over.push(sessionId));
    const die = (): void => {
      side.gone();
      gone.reject(new Error('it is gone'));
    };
    return { shares, asked, over, die };
  };
  return { keeper, join, clock };
}

/** Messages leave at the end of a turn of the loop, which on a busy machine may come behind the time. */
async function turn(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 2));
  await new Promise((resolve) => setImmediate(resolve));
}

async function soon(so: () => boolean): Promise<void> {
  while (!so()) {
    // oxlint-disable-next-line no-await-in-loop
    await turn();
  }
}

describe('buckets', () => {
  test('are full for all edges when they are for one', async () => {
    const { join } = node();
    const edges = [join(), join()];
    const waits = await Promise.all(
      Array.from({ length: 12 }, async (_, n) => edges[n % 2]?.shares.counters.take('e', 'x', COUNT)),
    );
    expect(waits.filter((wait) => wait === 0)).toHaveLength(5);
    // Six questions of one turn are one message.
    expect(edges.map(({ asked }) => asked.length)).toEqual([1, 1]);
  });

  test('that are known to be full are not asked for again until they may have room', async () => {
    const { join, clock } = node();
    const { shares, asked } = join();
    for (let n = 0; n < 6; n++) await shares.counters.take('e', 'x', COUNT);
    const before = asked.length;
    const wait = await shares.counters.take('e', 'x', COUNT);
    expect(wait).toBeGreaterThan(0);
    expect(asked.length).toBe(before);
    clock.now += wait;
    expect(await shares.counters.take('e', 'x', COUNT)).toBe(0);
  });

  test('outlive the edge that counted', async () => {
    const { join } = node();
    const first = join();
    for (let n = 0; n < 5; n++) await first.shares.counters.take('e', 'x', COUNT);
    first.die();
    expect(await join().shares.counters.take('e', 'x', COUNT)).toBeGreaterThan(0);
  });
});

test('what may be used once is spent for all edges, the one that comes later too', async () => {
  const { join } = node();
  const edges = [join(), join()];
  const firsts = await Promise.all(
    Array.from({ length: 6 }, async (_, n) => edges[n % 2]?.shares.logins.spend('a', 60_000)),
  );
  expect(firsts.filter(Boolean)).toHaveLength(1);
  edges[0]?.die();
  expect(await join().shares.logins.spend('a', 60_000)).toBe(false);
});

describe('of agents', () => {
  test('refused log-ins slow an address down at every edge, and a right one forgives at every edge', async () => {
    const { join } = node();
    const [one, two] = [join().shares.agents, join().shares.agents];
    for (let n = 0; n < 24; n++) (n % 2 === 0 ? one : two).auths.failed('192.0.2.1');
    await turn();
    expect([await one.auths.delay('192.0.2.1'), await two.auths.delay('192.0.2.1')]).toEqual([1_000, 1_000]);
    expect(await one.auths.delay('192.0.2.2')).toBe(0);
    two.auths.succeeded('192.0.2.1');
    await turn();
    expect(await one.auths.delay('192.0.2.1')).toBe(0);
  });

  test('binds of an account have one pace', async () => {
    const { join } = node();
    const edges = [join(), join()];
    const take = async (account: string, at: number): Promise<number | null | undefined> =>
      edges[at % 2]?.shares.agents.binds.take(account);
    const waits = await Promise.all(Array.from({ length: 1_001 }, (_, n) => take('a', n)));
    expect(waits.filter((wait) => wait === 0)).toHaveLength(500);
    expect(waits.filter((wait) => wait === null)).toHaveLength(1);
    expect(await take('b', 0)).toBe(0);
  });
});

describe('calls of policies', () => {
  const OWNER = { endpointId: 'ep_1', accountId: 'ac_1' };

  test('take turns over all edges; those that wait start as others leave, or as their edge dies', async () => {
    const { join } = node();
    const edges = [join(), join()] as const;
    const started: number[] = [];
    let refused = 0;
    const enter = (at: 0 | 1, n: number): Turn =>
      edges[at].shares.calls.enter(
        OWNER,
        () => started.push(n),
        () => (refused += 1),
      );
    const turns = Array.from({ length: 300 }, (_, n) => enter(n % 2 === 0 ? 0 : 1, n));
    await turn();
    expect([started.length, refused]).toEqual([32, 12]);
    for (const one of turns) if (one.come) one.leave();
    await turn();
    expect(started.length).toBe(64);
    // What the first has, and where it waits, goes to the other.
    const before = started.length;
    edges[0].die();
    await turn();
    expect(started.slice(before).filter((n) => n % 2 === 1)).toHaveLength(32);
  });

  test('that leave before they are known of keep no turn', async () => {
    const { join } = node();
    const { calls } = join().shares;
    for (let n = 0; n < 40; n++) calls.enter(OWNER, raise, raise).leave();
    await turn();
    await turn();
    const started: number[] = [];
    for (let n = 0; n < 40; n++) calls.enter(OWNER, () => started.push(n), raise);
    await turn();
    expect(started).toHaveLength(32);
  });
});

test('a session that is over is over at the other edges before that is answered, and a dead one keeps nobody', async () => {
  const { join } = node();
  const [first, second, third] = [join(), join(), join()];
  await first.shares.logins.end('as_1', Infinity);
  expect([first.over, second.over, third.over]).toEqual([[], ['as_1'], ['as_1']]);
  const answered = first.shares.logins.end('as_2', Infinity);
  third.die();
  await answered;
  expect(second.over).toEqual(['as_1', 'as_2']);
});

describe('what is done once', () => {
  /** An edge's work, and how it ends. */
  function works(): {
    done: string[];
    at: (edge: Edge, name: string, kept?: number) => Promise<string>;
    end: () => void;
  } {
    const done: string[] = [];
    const ends: (() => void)[] = [];
    const at = (edge: Edge, name: string, kept = 100): Promise<string> =>
      edge.shares.logins.once(
        'key',
        async () => {
          done.push(name);
          await new Promise<void>((resolve) => ends.push(resolve));
          if (name.startsWith('failing')) throw new Error(name);
          return `by ${name}`;
        },
        () => kept,
      );
    return { done, at, end: () => ends.splice(0).forEach((end) => end()) };
  }

  test('is done by who asks first, for all who ask meanwhile or soon after', async () => {
    const { join, clock } = node();
    const [one, two] = [join(), join()];
    const { done, at, end } = works();
    const all = [at(one, 'one'), at(two, 'two'), at(one, 'one again')];
    await turn();
    await turn();
    end();
    expect(await Promise.all(all)).toEqual(['by one', 'by one', 'by one']);
    clock.now += 99;
    expect(await at(join(), 'three')).toBe('by one');
    clock.now += 1;
    const later = at(two, 'two');
    await soon(() => done.length === 2);
    end();
    expect(await later).toBe('by two');
    expect(done).toEqual(['one', 'two']);
  });

  test('is done by another one where the first dies with it; a failure is only its own', async () => {
    const { join } = node();
    const edges = [join(), join(), join()] as const;
    const { done, at, end } = works();
    const lost = at(edges[0], 'lost');
    await soon(() => done.length === 1);
    const others = [at(edges[1], 'failing'), at(edges[2], 'third')];
    edges[0].die();
    await expect(lost).rejects.toThrow('it is gone');
    await soon(() => done.length === 2);
    end();
    await expect(others[0]).rejects.toThrow('failing');
    await soon(() => done.length === 3);
    end();
    expect(await others[1]).toBe('by third');
    expect(done).toEqual(['lost', 'failing', 'third']);
  });

  test('is not remembered where it is not worth it', async () => {
    const { join } = node();
    const [one, two] = [join(), join()];
    const { done, at, end } = works();
    for (const [edge, name] of [
      [one, 'one'],
      [two, 'two'],
    ] as const) {
      const asked = at(edge, name, 0);
      // oxlint-disable-next-line no-await-in-loop
      await soon(() => done.includes(name));
      end();
      // oxlint-disable-next-line no-await-in-loop
      expect(await asked).toBe(`by ${name}`);
    }
  });
});

describe('a breaker', () => {
  test('trips for all edges by what each has seen, and one request of all tries', async () => {
    const { join, clock } = node();
    const edges = [join(), join()];
    const enter = (at: number): Promise<unknown> => Promise.resolve(edges[at]?.shares.breakers.enter('e', BREAKER));
    for (let n = 0; n < 4; n++) {
      const pass = await edges[n % 2]?.shares.breakers.enter('e', BREAKER);
      pass?.leave('failed');
    }
    await turn();
    expect([await enter(0), await enter(1)]).toEqual([null, null]);
    clock.now += 1_000;
    const tries = [await enter(0), await enter(1)];
    expect(tries.filter((pass) => pass !== null)).toHaveLength(1);
  });

  test('is not kept from trying by an edge that died with the one that tried', async () => {
    const { join, clock } = node();
    const [first, second] = [join(), join()];
    for (let n = 0; n < 4; n++) (await first.shares.breakers.enter('e', BREAKER))?.leave('failed');
    await turn();
    clock.now += 1_000;
    expect(await first.shares.breakers.enter('e', BREAKER)).not.toBeNull();
    expect(await second.shares.breakers.enter('e', BREAKER)).toBeNull();
    first.die();
    expect(await second.shares.breakers.enter('e', BREAKER)).not.toBeNull();
  });
});

describe('connections', () => {
  test('of a network are bounded over all edges: one too many is ended, and the next is not let in', async () => {
    const { join } = node();
    const gates = [join(), join()].map(({ shares }) => shares.gate('http'));
    const revoked: number[] = [];
    const ids = Array.from(
      { length: 4 },
      (_, n) => gates[n % 2]?.opened('10.0.0.1', false, () => revoked.push(n), null) ?? 0,
    );
    await turn();
    expect(revoked).toEqual([3]);
    expect(gates.map((gate) => gate.full('10.0.0.1', false))).toEqual([true, true]);
    expect(gates.map((gate) => gate.full('10.0.0.2', false))).toEqual([false, false]);
    // What many visitors share counts in the whole only.
    expect(gates[0]?.full('10.0.0.1', true)).toBe(false);
    gates[1]?.closed(ids[3] ?? 0);
    gates[0]?.closed(ids[0] ?? 0);
    await turn();
    expect(gates.map((gate) => gate.full('10.0.0.1', false))).toEqual([false, false]);
  });

  test('of a listener are bounded in the whole, and an edge that dies gives its own back', async () => {
    const { join } = node();
    const [first, second] = [join(), join()];
    const [one, other] = [first.shares.gate('http'), second.shares.gate('http')];
    for (let n = 0; n < 4; n++) one.opened(`10.0.0.${n}`, false, () => {}, null);
    await turn();
    expect(other.full('10.0.0.9', true)).toBe(true);
    expect(second.shares.gate('https').full('10.0.0.9', false)).toBe(false);
    first.die();
    await turn();
    expect(other.full('10.0.0.9', false)).toBe(false);
  });

  test('an edge that comes when all is taken learns it by its first', async () => {
    const { join } = node();
    const gate = join().shares.gate('http');
    for (let n = 0; n < 4; n++) gate.opened(`10.0.0.${n}`, false, () => {}, null);
    await turn();
    const late = join().shares.gate('http');
    let revoked = 0;
    late.opened('10.0.0.9', false, () => (revoked += 1), null);
    await turn();
    expect([revoked, late.full('10.0.0.8', false)]).toEqual([1, true]);
  });

  test('of one that goes on at another edge are counted once, also when there are no more', async () => {
    const { join } = node();
    const [one, two] = [join().shares.gate('http'), join()];
    let revoked = 0;
    const revoke = (): void => void (revoked += 1);
    const ids = [0, 1, 2].map((n) => one.opened(`10.0.0.${n}`, false, revoke, null));
    one.opened('10.0.0.4', false, revoke, null);
    await turn();
    const gate = two.shares.gate('http');
    const moved = gate.opened('10.0.0.0', false, revoke, { edge: 'e1', id: ids[0] ?? 0 });
    await turn();
    one.closed(ids[0] ?? 0);
    await turn();
    expect(revoked).toBe(0);
    expect(gate.full('10.0.0.9', false)).toBe(true);
    gate.closed(moved);
    await turn();
    expect(gate.full('10.0.0.9', false)).toBe(false);
    // Where the first edge has said its farewell before, it counts anew.
    one.closed(ids[1] ?? 0);
    gate.opened('10.0.0.1', false, revoke, { edge: 'e1', id: ids[1] ?? 0 });
    one.opened('10.0.0.5', false, revoke, null);
    await turn();
    expect(one.full('10.0.0.9', false)).toBe(true);
    two.die();
    expect(revoked).toBe(0);
  });
});
