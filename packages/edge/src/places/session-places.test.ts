import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TimerHandle } from '../context.ts';
import type { Place, PlaceClaim, Reclaimer } from './place.ts';
import { SessionPlaces } from './session-places.ts';

/** A wheel whose time is moved by hand. */
class HandWheel {
  now = 0;
  readonly #timers = new Set<{ due: number; callback: () => void }>();

  schedule(ms: number, callback: () => void): TimerHandle {
    const timer = { due: this.now + ms, callback };
    this.#timers.add(timer);
    return {
      cancel: () => void this.#timers.delete(timer),
      refresh: () => {
        timer.due = this.now + ms;
        this.#timers.add(timer);
      },
      age: () => this.now - (timer.due - ms),
    };
  }

  pass(ms: number): void {
    this.now += ms;
    for (const timer of this.#timers) {
      if (timer.due > this.now) continue;
      this.#timers.delete(timer);
      timer.callback();
    }
  }
}

const claim = (network = 'x', endpointId = 'e', long = false): PlaceClaim => ({ network, endpointId, long });
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

class Session {
  readonly wheel = new HandWheel();
  readonly open: Place[] = [];
  readonly counts = { refused: 0, reclaimed: 0 };
  readonly log: string[] = [];
  readonly places: SessionPlaces;

  constructor(limit: number, reclaimer: Partial<Reclaimer> = {}) {
    const { open } = this;
    const owner = {
      id: 's',
      mux: {
        get streamCount() {
          return open.length;
        },
      },
    };
    this.places = new SessionPlaces(owner, limit, {
      queueMs: 5_000,
      wheel: this.wheel,
      reclaimers: [{ idle: () => false, slow: () => false, ...reclaimer }],
      counts: this.counts,
      onFault: (error) => this.log.push(String(error)),
    });
  }

  enter(who: PlaceClaim): Place {
    const place = this.places.enter(who);
    this.open.push(place);
    return place;
  }

  end(place: Place | undefined): void {
    if (place === undefined) throw new Error('no such place');
    this.open.splice(this.open.indexOf(place), 1);
    this.places.left(place);
  }

  /** Asks as the dispatcher does. */
  ask(name: string, who: PlaceClaim = claim(), stays = true): void {
    const into = (): void => {
      this.log.push(name);
      if (stays) this.enter(who);
    };
    if (this.places.canEnter(who)) into();
    else this.places.wait(who, (error) => (error === null ? into() : this.log.push(`${name} ${error.number}`)));
  }
}

describe('places', () => {
  test('a free one goes to who waits longest, and a newcomer cannot come between', async () => {
    const session = new Session(2);
    for (const name of ['a', 'b', 'c', 'd']) session.ask(name);
    expect(session.log).toEqual(['a', 'b']);
    session.end(session.open[0]);
    // Before whoever waits has been told.
    session.ask('late');
    await settled();
    expect(session.log).toEqual(['a', 'b', 'c']);
    session.end(session.open[0]);
    session.end(session.open[0]);
    await settled();
    expect(session.log).toEqual(['a', 'b', 'c', 'd', 'late']);
  });

  test('who does not need it any more leaves it to the next', async () => {
    const session = new Session(1);
    session.ask('a');
    session.ask('left', claim(), false);
    session.ask('b');
    session.end(session.open[0]);
    await settled();
    expect(session.log).toEqual(['a', 'left', 'b']);
  });

  test('after five seconds the answer is 743 with the numbers, and the others go on waiting', async () => {
    const session = new Session(1);
    session.ask('a');
    session.ask('b');
    session.wheel.pass(3_000);
    session.ask('c');
    session.wheel.pass(2_000);
    expect(session.log).toEqual(['a', 'b 743']);
    session.end(session.open[0]);
    await settled();
    expect(session.log).toEqual(['a', 'b 743', 'c']);
    expect(session.counts.refused).toBe(1);
  });

  test('one network never has all: an eighth is for others, a quarter for what is short', async () => {
    const session = new Session(480);
    for (let i = 0; i < 600; i++) session.ask('long', claim('x', 'e', true));
    expect(session.open).toHaveLength(360);
    for (let i = 0; i < 100; i++) session.ask('short', claim('x'));
    expect(session.open).toHaveLength(420);
    expect(session.places.waiting).toBe(240 + 40);
    session.ask('other', claim('y', 'e', true));
    expect(session.log.at(-1)).toBe('other');
    session.end(session.open[0]);
    await settled();
    expect(session.log.at(-1)).toBe('long');
    expect(session.open).toHaveLength(421);
  });

  test('idle places make room at once and do not count for their network', async () => {
    const idle: Place[] = [];
    const session: Session = new Session(480, {
      idle: () => {
        const place = idle.shift();
        if (place !== undefined) session.end(place);
        return place !== undefined;
      },
    });
    for (let i = 0; i < 480; i++) {
      session.ask('kept');
      const place = session.open.at(-1);
      if (place === undefined) throw new Error('nothing is open');
      place.idle = true;
      idle.push(place);
    }
    expect(session.open).toHaveLength(480);
    for (let i = 0; i < 300; i++) session.ask('new');
    await settled();
    expect(session.log.filter((name) => name === 'new')).toHaveLength(300);
    expect(session.counts.reclaimed).toBe(300);
  });

  test('slow ones give way only beyond the share, to somebody below it', () => {
    const asked: string[][] = [];
    const session = new Session(40, {
      slow: (_id, beyondShare) => {
        asked.push(['x', 'y', 'z'].filter(beyondShare));
        return false;
      },
    });
    for (let i = 0; i < 30; i++) session.enter(claim('x', 'e', true));
    for (let i = 0; i < 10; i++) session.enter(claim('y', 'e', true));
    session.ask('z', claim('z'));
    expect(asked).toEqual([['x']]);
    session.ask('more of x', claim('x'));
    expect(asked.at(-1)).toEqual([]);
  });

  test('a mistake of one who waits is reported, and the next one has its turn', async () => {
    const session = new Session(1);
    session.ask('a');
    session.places.wait(claim(), () => {
      throw new Error('a mistake');
    });
    session.ask('b');
    session.end(session.open[0]);
    await settled();
    expect(session.log).toEqual(['a', 'Error: a mistake', 'b']);
  });

  test('the end of the session is told to all who wait', () => {
    const session = new Session(1);
    for (const name of ['a', 'b', 'c']) session.ask(name, claim(), false);
    session.enter(claim());
    session.ask('d', claim(), false);
    session.places.close();
    expect(session.log).toEqual(['a', 'b', 'c', 'd']);
  });

  test('whatever comes and goes: never more than the limit, and nobody waits beside a place that is free for them', async () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('ask' as const), who: fc.nat(3), long: fc.boolean() }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('end' as const), which: fc.nat(50) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(3_000) }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 40 }), async (steps, limit) => {
        const session = new Session(limit);
        let asked = 0;
        for (const one of steps) {
          if (one.kind === 'ask') session.ask(`${asked++}`, claim(`n${one.who}`, 'e', one.long));
          else if (one.kind === 'pass') session.wheel.pass(one.ms);
          else if (session.open.length > 0) session.end(session.open[one.which % session.open.length]);
          if (one.kind !== 'ask') await settled();
          expect(session.open.length).toBeLessThanOrEqual(limit);
        }
        await settled();
        // From 32 places on, whoever waits is at the bound of its network.
        if (session.places.waiting > 0 && session.open.length < limit) expect(limit).toBeGreaterThanOrEqual(32);
        session.wheel.pass(10_000);
        expect(session.log).toHaveLength(asked);
        expect(new Set(session.log).size).toBe(asked);
      }),
      { numRuns: 60 },
    );
  });
});
