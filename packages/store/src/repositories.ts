/** Repositories over anything that can run a statement of ours; the same for every database. */
import type { TableShape } from './schema/column.ts';
import { decodeRow, type SqlValue } from './schema/rows.ts';
import { selectAll, selectById, selectPage, selectWhere, type Statement } from './schema/statements.ts';
import { TABLES } from './schema/tables.ts';
import type { Repositories, Repository, TableName, Tables } from './types.ts';

/** Runs a query; each row as its values, in the order of the table's columns. */
export type Read = (statement: Statement) => Promise<SqlValue[][]>;

export function createRepositories(read: Read): Repositories {
  return {
    botUsers: repository('botUsers', read),
    credentials: repository('credentials', read),
    apiKeys: repository('apiKeys', read),
    reservedDomains: repository('reservedDomains', read),
    reservedAddrs: repository('reservedAddrs', read),
    endpoints: repository('endpoints', read),
    edges: repository('edges', read),
    edgeRoutes: repository('edgeRoutes', read),
    tunnelGroupBackends: repository('tunnelGroupBackends', read),
  };
}

export async function readAll<T extends TableName>(table: T, read: Read): Promise<Tables[T][]> {
  return readRows<Tables[T]>(TABLES[table], selectAll(TABLES[table]), read);
}

/** The shape's columns are those of R: `tableOf<R>` has seen to it. */
export async function readRows<R>(shape: TableShape, statement: Statement, read: Read): Promise<R[]> {
  const rows = await read(statement);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  return rows.map((values) => decodeRow(shape, values) as R);
}

function repository<T extends TableName>(table: T, read: Read): Repository<Tables[T]> {
  const shape = TABLES[table];
  return {
    async get(id) {
      const [row] = await readRows<Tables[T]>(shape, selectById(shape, id), read);
      return row ?? null;
    },
    async list(query) {
      return readRows<Tables[T]>(shape, selectPage(shape, query), read);
    },
    async find(where) {
      return readRows<Tables[T]>(shape, selectWhere(shape, where), read);
    },
    insert: (row) => ({ op: 'insert', table, row }),
    update: (id, patch) => ({ op: 'update', table, id, patch }),
    delete: (id) => ({ op: 'delete', table, id }),
  };
}
