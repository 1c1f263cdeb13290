/** SQL that SQLite and PostgreSQL both read, but for the placeholders (`?` here). */
import type { TableShape } from './column.ts';
import { columnOf, encodeField, type SqlValue } from './rows.ts';

export interface Statement {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

export const quoted = (name: string): string => `"${name}"`;

function select(table: TableShape): string {
  return `SELECT ${table.columns.map(({ name }) => quoted(name)).join(', ')} FROM ${quoted(table.name)}`;
}

export function selectById(table: TableShape, id: string): Statement {
  return { sql: `${select(table)} WHERE "id" = ?`, values: [id] };
}

export function selectAll(table: TableShape): Statement {
  return { sql: `${select(table)} ORDER BY "id"`, values: [] };
}

/** Newest first; see ListQuery. */
export function selectPage(
  table: TableShape,
  query: { readonly accountId: string; readonly beforeId?: string; readonly limit?: number },
): Statement {
  let sql = `${select(table)} WHERE "account_id" = ?`;
  const values: SqlValue[] = [query.accountId];
  if (query.beforeId !== undefined) {
    sql += ' AND "id" < ?';
    values.push(query.beforeId);
  }
  sql += ' ORDER BY "id" DESC';
  if (query.limit !== undefined) {
    if (!Number.isSafeInteger(query.limit) || query.limit < 0) {
      throw new TypeError(`${table.name}: limit must be a whole number from 0 up`);
    }
    sql += ' LIMIT ?';
    values.push(query.limit);
  }
  return { sql, values };
}

/**
 * Oldest first. At least one field must lead an index, so that a question asked in passing never reads a whole table.
 * @throws TypeError naming the fields that would do
 */
export function selectWhere(table: TableShape, where: object): Statement {
  const fields = Object.entries(where);
  const leading = new Set(['id', ...table.indexes.map((index) => index.fields[0])]);
  if (!fields.some(([field]) => leading.has(field))) {
    throw new TypeError(`${table.name}: find needs one of ${[...leading].join(', ')}`);
  }
  const conditions = fields.map(([field]) => `${quoted(columnOf(table, field).name)} = ?`);
  return {
    sql: `${select(table)} WHERE ${conditions.join(' AND ')} ORDER BY "id"`,
    values: fields.map(([field, value]) => encodeField(table, field, value)),
  };
}

export function insertRow(table: TableShape, values: readonly SqlValue[]): Statement {
  const columns = table.columns.map(({ name }) => quoted(name)).join(', ');
  const places = table.columns.map(() => '?').join(', ');
  return { sql: `INSERT INTO ${quoted(table.name)} (${columns}) VALUES (${places})`, values };
}

export function updateRow(
  table: TableShape,
  id: string,
  columns: readonly string[],
  values: readonly SqlValue[],
): Statement {
  // An empty patch still has to find its row.
  const changes = columns.length === 0 ? '"id" = "id"' : columns.map((name) => `${quoted(name)} = ?`).join(', ');
  return { sql: `UPDATE ${quoted(table.name)} SET ${changes} WHERE "id" = ?`, values: [...values, id] };
}

export function deleteRow(table: TableShape, id: string): Statement {
  return { sql: `DELETE FROM ${quoted(table.name)} WHERE "id" = ?`, values: [id] };
}
