/** What commits mean, as plainly as it can be said, for comparing a store with: one table, one unique field. */
import type { Change, ReservedDomainRow, Write } from '../types.ts';

export type ModelResult = number | 'unique' | 'missing';

export class StoreModel {
  rows = new Map<string, ReservedDomainRow>();
  changes: Change[] = [];
  readonly #firstRevision: number;

  constructor(revision: number) {
    this.#firstRevision = revision;
  }

  get revision(): number {
    return this.#firstRevision + this.changes.length;
  }

  commit(writes: readonly Write[]): ModelResult {
    const rows = new Map(this.rows);
    const changes = [...this.changes];
    for (const write of writes) {
      const id = write.op === 'insert' ? write.row.id : write.id;
      const before = rows.get(id);
      if (write.op === 'delete') {
        if (!rows.delete(id)) continue;
      } else {
        if (write.op === 'update' && before === undefined) return 'missing';
        if (write.op === 'insert' && before !== undefined) return 'unique';
        const after = { ...before, ...(write.op === 'insert' ? write.row : write.patch) };
        if (!isDomain(after)) throw new TypeError('the model knows reserved domains only');
        if ([...rows.values()].some((row) => row.id !== id && row.domain === after.domain)) return 'unique';
        rows.set(id, after);
      }
      changes.push({ revision: this.#firstRevision + changes.length + 1, table: 'reservedDomains', id, op: write.op });
    }
    this.rows = rows;
    this.changes = changes;
    return this.revision;
  }
}

function isDomain(row: object): row is ReservedDomainRow {
  return 'domain' in row && 'automatic' in row;
}
