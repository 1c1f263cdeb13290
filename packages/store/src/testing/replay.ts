import { expect } from 'vitest';
import type { Store } from '../types.ts';

/** The change log, played from its start, must end in exactly the rows that are there. */
export async function expectLogToMatchRows(store: Store): Promise<void> {
  const changes = await store.changesSince(0, 1_000_000);
  expect(changes.map(({ revision }) => revision)).toEqual(changes.map((_, index) => index + 1));
  const live = new Set<string>();
  for (const { id, op } of changes) {
    if (op === 'delete') live.delete(id);
    else live.add(id);
  }
  const rows = await store.all('reservedDomains');
  expect(rows.map(({ id }) => id)).toEqual([...live].toSorted());
}
