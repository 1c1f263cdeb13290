/** Repositories over anything that can run a statement of ours; the same for every database. */
import type { TableShape } from './schema/column.ts';
import { decodeRow, type Sealer, type SqlValue } from './schema/rows.ts';
import { selectAll, selectById, selectPage, selectWhere, type Statement } from './schema/statements.ts';
import { TABLE_NAMES, TABLES } from './schema/tables.ts';
import type { Repositories, Repository, TableName, Tables } from './types.ts';

/** Runs a query; each row as its values, in the order of the table's columns. */
export type Read = (statement: Statement) => Promise<SqlValue[][]>;

export function createRepositories(read: Read, sealer: Sealer): Repositories {
  const made = TABLE_NAMES.map((table) => [table, repository(table, read, sealer)]);
  // One for each table, under its name.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return Object.fromEntries(made) as Repositories;
}

export async function readAll<T extends TableName>(table: T, read: Read, sealer: Sealer): Promise<Tables[T][]> {
  return readRows<Tables[T]>(TABLES[table], selectAll(TABLES[table]), read, sealer);
}

/** The shape's columns are those of R: `tableOf<R>` has seen to it. */
export async function readRows<R>(shape: TableShape, statement: Statement, read: Read, sealer: Sealer): Promise<R[]> {
  const rows = await read(statement);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  return rows.map((values) => decodeRow(shape, values, sealer) as R);
}

function repository<T extends TableName>(table: T, read: Read, sealer: Sealer): Repository<Tables[T]> {
  const shape = TABLES[table];
  return {
    async get(id) {
      const [row] = await readRows<Tables[T]>(shape, selectById(shape, id), read, sealer);
      return row ?? null;
    },
    async list(query) {
      return readRows<Tables[T]>(shape, selectPage(shape, query), read, sealer);
    },
    async find(where) {
      return readRows<Tables[T]>(shape, selectWhere(shape, where), read, sealer);
    },
    insert: (row) => ({ op: 'insert', table, row }),
    update: (id, patch) => ({ op: 'update', table, id, patch }),
    delete: (id) => ({ op: 'delete', table, id }),
  };
}
