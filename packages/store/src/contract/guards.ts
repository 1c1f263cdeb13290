/** What guards promise: a commit that rests on what somebody else has changed since does not happen, and it alone. */
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StoreConflict, StoreOvertaken, type Guards, type Store, type Write } from '../types.ts';
import { domainRow } from './rows.ts';
import type { StoreUnderTest } from './under-test.ts';

export interface Decided {
  readonly writes: readonly Write[];
  readonly guards?: Guards;
}

/** The revision, or why not. */
export async function outcomeOf(store: Store, { writes, guards }: Decided): Promise<number | string> {
  try {
    return (await store.commit(writes, guards)).revision;
  } catch (error) {
    if (error instanceof StoreConflict) return error.kind;
    if (error instanceof StoreOvertaken) return 'overtaken';
    throw error;
  }
}

export function describeGuards(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`${name} keeps its guards`, () => {
    let under: StoreUnderTest;
    let store: Store;
    beforeEach(async () => {
      under = await open();
      store = under.store;
    });
    afterEach(() => under.dispose());

    const insert = (n: number): Write => store.reservedDomains.insert(domainRow(`rd_${n}`, `d${n}.example`));
    const ids = async (): Promise<string[]> => (await store.all('reservedDomains')).map(({ id }) => id);

    type Keys = Partial<Pick<Guards, 'alone' | 'shared'>>;

    /** Two that decide on the same moment and commit one after the other: what becomes of the second. */
    async function second(first: Keys | null, then: Keys): Promise<number | string> {
      const asOf = await store.revision();
      await store.commit([insert(1)], first === null ? undefined : { asOf, alone: [], shared: [], ...first });
      return outcomeOf(store, { writes: [insert(2)], guards: { asOf, alone: [], shared: [], ...then } });
    }

    test.each<[string, Keys | null, Keys, 'overtaken' | 2]>([
      ['a key that the first had alone', { alone: ['k'] }, { alone: ['k'] }, 'overtaken'],
      ['a key that the first had alone, shared', { alone: ['k'] }, { shared: ['k'] }, 'overtaken'],
      ['a key that the first shared, alone', { shared: ['k'] }, { alone: ['k'] }, 'overtaken'],
      ['a key that both share', { shared: ['k'] }, { shared: ['k'] }, 2],
      ['another key', { alone: ['k'] }, { alone: ['other'] }, 2],
      ['everything', { alone: ['k'] }, { alone: 'everything' }, 'overtaken'],
      ['everything, of which the first said nothing', null, { alone: 'everything' }, 'overtaken'],
      ['anything when the first had everything', { alone: 'everything' }, { shared: ['other'] }, 'overtaken'],
      ['a row that the first wrote', { alone: ['k'] }, { shared: ['rd_1'] }, 'overtaken'],
      ['a row that the first wrote without guards', null, { alone: ['rd_1'] }, 'overtaken'],
      ['a row that nobody wrote', null, { alone: ['rd_3'] }, 2],
    ])('two decide at once, the second on %s', async (_, first, then, expected) => {
      expect(await second(first, then)).toBe(expected);
      expect(await ids()).toEqual(expected === 2 ? ['rd_1', 'rd_2'] : ['rd_1']);
    });

    test('whoever has seen the other one is not in its way', async () => {
      const { revision } = await store.commit([insert(1)], { asOf: 0, alone: ['k'], shared: [] });
      await store.commit([insert(2)], { asOf: revision, alone: ['k', 'rd_1'], shared: [] });
      expect(await ids()).toEqual(['rd_1', 'rd_2']);
    });

    test('a guard that fails fails the whole commit: nothing of it is written, logged or remembered', async () => {
      const { revision } = await store.commit([insert(1)], { asOf: 0, alone: ['k'], shared: [] });
      const late = { asOf: 0, alone: ['k', 'other'], shared: [] };
      await expect(store.commit([insert(2), store.reservedDomains.delete('rd_1')], late)).rejects.toThrow(
        StoreOvertaken,
      );
      expect(await ids()).toEqual(['rd_1']);
      expect(await store.changesSince(revision)).toEqual([]);
      // What it would have had for itself is free.
      await store.commit([insert(3)], { asOf: revision, alone: ['other', 'rd_2'], shared: [] });
    });

    test('a commit that changes nothing, or conflicts, stands in nobody’s way', async () => {
      await store.commit([insert(1)]);
      const seen = { asOf: 1, alone: ['k'], shared: [] };
      await store.commit([store.reservedDomains.delete('rd_9')], seen);
      await expect(store.commit([insert(1)], seen)).rejects.toThrow(StoreConflict);
      await store.commit([insert(2)], seen);
    });

    test('those that go to the disk together are judged one by one', async () => {
      const keys = Array.from({ length: 60 }, (_, n) => `key ${n % 20}`);
      const outcomes = await Promise.all(
        keys.map((key, n) =>
          outcomeOf(store, { writes: [insert(100 + n)], guards: { asOf: 0, alone: [key], shared: ['all'] } }),
        ),
      );
      expect(outcomes.slice(0, 20).every((outcome) => typeof outcome === 'number')).toBe(true);
      expect(outcomes.slice(20)).toEqual(Array.from({ length: 40 }, () => 'overtaken'));
      expect(await ids()).toHaveLength(20);
    });

    test('a commit says whether somebody else came between', async () => {
      const first = await store.commit([insert(1), insert(2)]);
      expect(first).toEqual({ revision: 2, follows: 0 });
      expect(await store.commit([insert(3)])).toEqual({ revision: 3, follows: 2 });
    });

    test('what was decided on an earlier opening of the database is decided anew', async () => {
      const asOf = await store.revision();
      await store.commit([insert(1)], { asOf, alone: ['k'], shared: [] });
      store = await under.reopen();
      const late = outcomeOf(store, { writes: [insert(2)], guards: { asOf, alone: ['k'], shared: [] } });
      expect(await late).toBe('overtaken');
      const now = await store.revision();
      await store.commit([insert(2)], { asOf: now, alone: ['k'], shared: [] });
    });

    test('two nodes claim one key: however they take turns to look and to claim, it has one holder', async () => {
      const turn = fc.tuple(fc.constantFrom(1, 2), fc.constantFrom('look', 'claim', 'leave'));
      await fc.assert(
        fc.asyncProperty(fc.array(turn, { maxLength: 30 }), async (turns) => {
          await store.commit((await ids()).map((id) => store.reservedDomains.delete(id)));
          const seen = new Map<number, { readonly asOf: number; readonly free: boolean }>();
          for (const [node, act] of turns) {
            const view = seen.get(node);
            const id = `rd_${node}`;
            if (act === 'look') seen.set(node, { asOf: await store.revision(), free: (await ids()).length === 0 });
            else if (act === 'leave') await store.commit([store.reservedDomains.delete(id)]);
            else if (view?.free === true) {
              const guards = { asOf: view.asOf, alone: ['name one.example'], shared: [] };
              // No value of the row is unique: nothing but the guards keeps two nodes apart.
              const writes = [store.reservedDomains.insert(domainRow(id, `${node}.example`))];
              await outcomeOf(store, { writes, guards });
            }
            expect((await ids()).length).toBeLessThan(2);
          }
        }),
        { numRuns: 60 },
      );
    });
  });
}
