/** What every store must do, whatever database it stands on. A form of it passes by giving `open`. */
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StoreConflict, type Store, type TableName, type Write } from '../types.ts';
import { describeGuards, type Decided, outcomeOf } from './guards.ts';
import { StoreModel } from './model.ts';
import { domainRow, exampleRows } from './rows.ts';
import type { StoreUnderTest } from './under-test.ts';

export function describeStoreContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`${name} keeps the store contract`, () => {
    let under: StoreUnderTest;
    let store: Store;
    beforeEach(async () => {
      under = await open();
      store = under.store;
    });
    afterEach(() => under.dispose());

    const reserve = (...numbers: readonly number[]) =>
      store.commit(numbers.map((n) => store.reservedDomains.insert(domainRow(`rd_${n}`, `d${n}.example`))));

    test('rows of every table come back as they were written, also after reopening', async () => {
      const rows = exampleRows();
      await store.commit(everyInsert(rows));
      await expectRows(store, rows);
      await expectRows(await under.reopen(), rows);
    });

    test('an update changes the named fields of one row and nothing else', async () => {
      await reserve(1, 2);
      await store.commit([store.reservedDomains.update('rd_1', { description: 'new', automatic: true })]);
      const expected = { ...domainRow('rd_1', 'd1.example'), description: 'new', automatic: true };
      expect(await store.reservedDomains.get('rd_1')).toEqual(expected);
      expect(await store.reservedDomains.get('rd_2')).toEqual(domainRow('rd_2', 'd2.example'));
    });

    test('a deleted row is gone, and deleting it again is no error', async () => {
      await reserve(1);
      const first = await store.commit([store.reservedDomains.delete('rd_1')]);
      const second = await store.commit([store.reservedDomains.delete('rd_1')]);
      expect(await store.reservedDomains.get('rd_1')).toBeNull();
      expect(second.revision).toBe(first.revision);
    });

    test('lists go by account, newest first, a page at a time', async () => {
      await reserve(3, 1, 5, 2, 4);
      await store.commit([store.reservedDomains.insert(domainRow('rd_9', 'foreign.example', 'ac_2'))]);
      const ids = async (query: { beforeId?: string; limit?: number }) =>
        (await store.reservedDomains.list({ accountId: 'ac_1', ...query })).map(({ id }) => id);
      expect(await ids({})).toEqual(['rd_5', 'rd_4', 'rd_3', 'rd_2', 'rd_1']);
      expect(await ids({ limit: 2 })).toEqual(['rd_5', 'rd_4']);
      expect(await ids({ limit: 2, beforeId: 'rd_4' })).toEqual(['rd_3', 'rd_2']);
      expect(await ids({ beforeId: 'rd_1' })).toEqual([]);
      expect(await ids({ limit: 0 })).toEqual([]);
    });

    test('a page goes on from an id that is gone or never was', async () => {
      await reserve(1, 2, 3);
      await store.commit([store.reservedDomains.delete('rd_2')]);
      const page = async (beforeId: string) =>
        (await store.reservedDomains.list({ accountId: 'ac_1', beforeId })).map(({ id }) => id);
      expect(await page('rd_2')).toEqual(['rd_1']);
      expect(await page('rd_25')).toEqual(['rd_1']);
      expect(await page('zz')).toEqual(['rd_3', 'rd_1']);
      await expect(store.reservedDomains.list({ accountId: 'ac_1', limit: -1 })).rejects.toThrow(TypeError);
    });

    test('accounts see only their own lists; uniqueness and finding go over all', async () => {
      await reserve(1);
      await store.commit([store.reservedDomains.insert(domainRow('rd_2', 'd2.example', 'ac_2'))]);
      expect(await store.reservedDomains.list({ accountId: 'ac_2' })).toEqual([
        domainRow('rd_2', 'd2.example', 'ac_2'),
      ]);
      expect(await store.reservedDomains.find({ domain: 'd2.example' })).toHaveLength(1);
      const again = store.reservedDomains.insert(domainRow('rd_3', 'd1.example', 'ac_2'));
      await expect(store.commit([again])).rejects.toThrow(StoreConflict);
    });

    test('finding compares all given fields, and needs an indexed one', async () => {
      const row = exampleRows().endpoints;
      await store.commit([
        store.endpoints.insert({ ...row, id: 'ep_2', scheme: 'http' }),
        store.endpoints.insert(row),
        store.endpoints.insert({ ...row, id: 'ep_3', host: 'other.example' }),
      ]);
      const found = await store.endpoints.find({ host: row.host, poolingEnabled: true });
      expect(found.map(({ id }) => id)).toEqual(['ep_1', 'ep_2']);
      expect(await store.endpoints.find({ host: row.host, scheme: 'http' })).toHaveLength(1);
      expect(await store.endpoints.find({ host: 'nowhere' })).toEqual([]);
      await expect(store.endpoints.find({ metadata: 'x' })).rejects.toThrow(/find needs one of id, accountId/);
      await expect(store.endpoints.find({})).rejects.toThrow(TypeError);
    });

    test('a commit happens whole or not at all', async () => {
      await reserve(1);
      const { revision } = await store.commit([]);
      const mixed = [
        store.reservedDomains.insert(domainRow('rd_2', 'd2.example')),
        store.reservedDomains.delete('rd_1'),
        store.reservedDomains.update('rd_7', { description: 'x' }),
      ];
      await expect(store.commit(mixed)).rejects.toMatchObject({ name: 'StoreConflict', kind: 'missing' });
      expect((await store.all('reservedDomains')).map(({ id }) => id)).toEqual(['rd_1']);
      expect(await store.changesSince(revision)).toEqual([]);
      expect(await store.revision()).toBe(revision);
    });

    test('a taken value is a conflict that names the field', async () => {
      await reserve(1, 2);
      const { reservedDomains } = store;
      const sameDomain = reservedDomains.insert(domainRow('rd_3', 'd1.example'));
      const sameId = reservedDomains.insert(domainRow('rd_1', 'd3.example'));
      await expect(store.commit([sameDomain])).rejects.toMatchObject(takenDomain(['domain']));
      await expect(store.commit([reservedDomains.update('rd_2', { domain: 'd1.example' })])).rejects.toMatchObject(
        takenDomain(['domain']),
      );
      await expect(store.commit([sameId])).rejects.toMatchObject(takenDomain(['id']));
      await store.commit([reservedDomains.delete('rd_1'), sameDomain]);
      expect(await reservedDomains.find({ domain: 'd1.example' })).toMatchObject([{ id: 'rd_3' }]);
    });

    test('an empty patch finds its row or says that it is missing', async () => {
      await reserve(1);
      await store.commit([store.reservedDomains.update('rd_1', {})]);
      const nobody = store.commit([store.reservedDomains.update('rd_2', {})]);
      await expect(nobody).rejects.toMatchObject({ kind: 'missing', fields: ['id'] });
    });

    test('rows that a table cannot hold are refused by name, before anything is written', async () => {
      const row: object = { ...domainRow('rd_1', 'a.example'), automatic: 'yes' };
      const write = unchecked({ op: 'insert', table: 'reservedDomains', row });
      await expect(store.commit([write])).rejects.toThrow(/automatic must be boolean, not string/);
      const unknown: object = { colour: 'red' };
      const patch = unchecked({ op: 'update', table: 'reservedDomains', id: 'rd_1', patch: unknown });
      await expect(store.commit([patch])).rejects.toThrow(/no field "colour"/);
      await expect(store.commit([store.reservedDomains.update('rd_1', { id: 'rd_2' })])).rejects.toThrow(TypeError);
      expect(await store.all('reservedDomains')).toEqual([]);
    });

    test('of many commits at once each stands or falls alone, and one of those that exclude each other wins', async () => {
      const domains = Array.from({ length: 60 }, (_, n) => domainRow(`rd_${100 + n}`, `d${n % 20}.example`));
      const results = await Promise.allSettled(domains.map((row) => store.commit([store.reservedDomains.insert(row)])));
      const won = results.filter(({ status }) => status === 'fulfilled');
      expect(won).toHaveLength(20);
      for (const result of results) {
        if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(StoreConflict);
      }
      const rows = await store.all('reservedDomains');
      expect(new Set(rows.map(({ domain }) => domain)).size).toBe(20);
      expect(rows).toHaveLength(20);
    });

    test('a commit that has resolved is what everybody reads', async () => {
      await Promise.all(
        Array.from({ length: 50 }, async (_, n) => {
          await reserve(1000 + n);
          expect(await store.reservedDomains.get(`rd_${1000 + n}`)).not.toBeNull();
        }),
      );
    });

    test('the change log has every change once, in order, and goes on after reopening', async () => {
      expect(await store.changesSince(0)).toEqual([]);
      const first = await reserve(1, 2);
      const second = await store.commit([
        store.reservedDomains.update('rd_1', { description: 'x' }),
        store.reservedDomains.delete('rd_2'),
      ]);
      const changes = await store.changesSince(0);
      expect(changes.map(({ table, id, op }) => `${op} ${table} ${id}`)).toEqual([
        'insert reservedDomains rd_1',
        'insert reservedDomains rd_2',
        'update reservedDomains rd_1',
        'delete reservedDomains rd_2',
      ]);
      const revisions = changes.map(({ revision }) => revision);
      expect(revisions).toEqual([...new Set(revisions)].toSorted((a, b) => a - b));
      expect(revisions.at(-1)).toBe(second.revision);
      expect(await store.changesSince(first.revision, 1)).toEqual([changes[2]]);
      const reopened = await under.reopen();
      expect(await reopened.revision()).toBe(second.revision);
      const third = await reopened.commit([reopened.reservedDomains.delete('rd_1')]);
      expect(third.revision).toBeGreaterThan(second.revision);
      expect(await reopened.changesSince(second.revision)).toHaveLength(1);
    });

    test('a fresh store has one account, and keeps it', async () => {
      const [account, ...others] = await store.accounts();
      expect(others).toEqual([]);
      expect(account?.id).toMatch(/^ac_[0-9A-Za-z]{27}$/);
      expect(account?.ownerUserId).toMatch(/^usr_[0-9A-Za-z]{27}$/);
      expect(await (await under.reopen()).accounts()).toEqual([account]);
    });

    test('secrets open in their own context only', () => {
      const sealed = store.secrets.seal('hunter2', 'vault/1');
      expect(sealed).not.toContain('hunter2');
      expect(store.secrets.open(sealed, 'vault/1')).toBe('hunter2');
      expect(() => store.secrets.open(sealed, 'vault/2')).toThrow(/belongs to another place/);
    });

    test('a closed store says so, and closing twice is no error', async () => {
      await reserve(1);
      await store.close();
      await store.close();
      await expect(store.commit([store.reservedDomains.delete('rd_1')])).rejects.toMatchObject({
        name: 'StoreUnavailable',
      });
      await expect(store.reservedDomains.get('rd_1')).rejects.toMatchObject({ name: 'StoreUnavailable' });
    });

    test('any commits, many at once, end as in the model', async () => {
      const id = fc.constantFrom('rd_1', 'rd_2', 'rd_3', 'rd_4');
      const domain = fc.constantFrom('a.example', 'b.example', 'c.example');
      const write: fc.Arbitrary<Write> = fc.oneof(
        fc.tuple(id, domain).map((given) => store.reservedDomains.insert(domainRow(...given))),
        fc.tuple(id, domain).map(([at, value]) => store.reservedDomains.update(at, { domain: value })),
        id.map((at) => store.reservedDomains.delete(at)),
      );
      const key = fc.constantFrom('name a', 'name b', 'rd_1', 'rd_2');
      const guards = fc.record({
        // How many of the newest changes the decider has not seen.
        behind: fc.nat({ max: 3 }),
        alone: fc.oneof(
          { weight: 5, arbitrary: fc.uniqueArray(key, { maxLength: 2 }) },
          fc.constant('everything' as const),
        ),
        shared: fc.uniqueArray(key, { maxLength: 2 }),
      });
      const commit = fc.record({ writes: fc.array(write, { maxLength: 4 }), guards: fc.option(guards) });
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(commit, { maxLength: 5 }), { maxLength: 8 }), async (rounds) => {
          const left = await store.all('reservedDomains');
          await store.commit(left.map((row) => store.reservedDomains.delete(row.id)));
          const start = await store.revision();
          const model = new StoreModel(start);
          for (const round of rounds) {
            const now = model.revision;
            const decided = round.map(({ writes, guards: given }): Decided => {
              if (given === null) return { writes };
              const { behind, alone, shared } = given;
              // What lies before this conversation is not the model's.
              return { writes, guards: { asOf: Math.max(start, now - behind), alone, shared } };
            });
            const outcomes = await Promise.all(decided.map((one) => outcomeOf(store, one)));
            expect(outcomes).toEqual(decided.map((one) => model.commit(one.writes, one.guards)));
          }
          const rows = await store.all('reservedDomains');
          expect(rows).toEqual([...model.rows.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1)));
          expect(await store.changesSince(start)).toEqual(model.changes);
        }),
        { numRuns: 60 },
      );
    });
  });

  describeGuards(name, open);
}

function takenDomain(fields: string[]): object {
  return { name: 'StoreConflict', kind: 'unique', table: 'reservedDomains', fields };
}

/** A write as plain JavaScript could make it. */
function unchecked(write: object): Write {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the point of the test
  return write as Write;
}

function everyInsert(rows: ReturnType<typeof exampleRows>): Write[] {
  return tableNames(rows).map((table) => ({ op: 'insert', table, row: rows[table] }));
}

async function expectRows(store: Store, rows: ReturnType<typeof exampleRows>): Promise<void> {
  for (const table of tableNames(rows)) {
    expect(await store.all(table), table).toEqual([rows[table]]);
    expect(await store[table].get(rows[table].id), table).toEqual(rows[table]);
  }
}

function tableNames(rows: ReturnType<typeof exampleRows>): TableName[] {
  return Object.keys(rows).filter((name): name is TableName => Object.hasOwn(rows, name));
}
