import { expect, test } from 'vitest';
import { domainRow } from '../contract/rows.ts';
import { openTestStore, temporaryDirectory } from '../testing/directory.ts';
import { StoreFaults } from './faults.ts';
import { GuardBook } from './guards.ts';

const on = (asOf: number, ...alone: readonly string[]) => ({ asOf, alone, shared: [] });

test('keys are remembered up to a bound; who decided before the oldest of them has to look again', () => {
  const book = new GuardBook(0);
  const decidedEarly = on(0, 'never taken');
  for (let revision = 1; revision <= 100_000; revision++) book.note(on(0, `key ${revision}`), [], revision);
  expect(book.broken(decidedEarly, 100_000)).toBeNull();
  book.note(on(0, 'one more'), [], 100_001);
  expect(book.broken(decidedEarly, 100_001)).toMatch(/something after revision 0/);
  expect(book.broken(on(1, 'never taken'), 100_001)).toBeNull();
  expect(book.broken(on(1, 'key 2'), 100_001)).toBe('key 2');
});

test('what was noted for a transaction that failed did not happen', async () => {
  const faults = new StoreFaults();
  const store = await openTestStore(temporaryDirectory(), { faults });
  const insert = (n: number) => store.reservedDomains.insert(domainRow(`rd_${n}`, `d${n}.example`));
  await store.commit([insert(1)]);
  faults.failNext(1, { at: 'fsync', code: 'EIO' });
  await expect(store.commit([insert(2)], on(1, 'k'))).rejects.toMatchObject({ applied: 'no' });
  // The revision that failed is given again: it must not be taken for the one that the key was noted with.
  await store.commit([insert(2)], on(1, 'k'));
  expect(await store.revision()).toBe(2);
});
