/** What commits mean, as plainly as it can be said, for comparing a store with: one table, one unique field. */
import type { Change, Guards, ReservedDomainRow, Write } from '../types.ts';

export type ModelResult = number | 'unique' | 'missing' | 'overtaken';

/** What a commit had to itself, and what it shared; null = everything. */
interface Had {
  readonly revision: number;
  readonly alone: ReadonlySet<string> | null;
  readonly shared: ReadonlySet<string>;
}

export class StoreModel {
  rows = new Map<string, ReservedDomainRow>();
  changes: Change[] = [];
  #had: Had[] = [];
  readonly #firstRevision: number;

  constructor(revision: number) {
    this.#firstRevision = revision;
  }

  get revision(): number {
    return this.#firstRevision + this.changes.length;
  }

  commit(writes: readonly Write[], guards?: Guards): ModelResult {
    if (guards !== undefined && this.#overtaken(guards)) return 'overtaken';
    const newest = this.revision;
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
    if (this.revision > newest) this.#had.push(hadBy(writes, guards, this.revision));
    return this.revision;
  }

  #overtaken({ asOf, alone, shared }: Guards): boolean {
    return this.#had.some((other) => {
      if (other.revision <= asOf) return false;
      if (alone === 'everything' || other.alone === null) return true;
      return [...alone, ...shared].some((key) => other.alone?.has(key)) || alone.some((key) => other.shared.has(key));
    });
  }
}

function hadBy(writes: readonly Write[], guards: Guards | undefined, revision: number): Had {
  const rows = writes.map((write) => (write.op === 'insert' ? write.row.id : write.id));
  const { alone = [], shared = [] } = guards ?? {};
  return {
    revision,
    alone: alone === 'everything' ? null : new Set([...rows, ...alone]),
    shared: new Set(shared),
  };
}

function isDomain(row: object): row is ReservedDomainRow {
  return 'domain' in row && 'automatic' in row;
}
