/** Rows to column values and back. Wrong rows are programming errors and are told to whoever made them, with names. */
import type { Column, ColumnKind, TableShape } from './column.ts';

/** What a database driver takes and gives. */
export type SqlValue = string | number | null;
export type Fields = Readonly<Record<string, unknown>>;

/** Values of a whole row, in the order of the table's columns. @throws TypeError */
export function encodeRow(table: TableShape, row: object): SqlValue[] {
  const given = new Map<string, unknown>(Object.entries(row));
  const values = table.columns.map((column) => encode(table, column, given.get(column.field)));
  if (given.size !== table.columns.length) {
    for (const field of given.keys()) columnOf(table, field);
  }
  return values;
}

/** Columns and values of a patch; `id` never changes. @throws TypeError */
export function encodePatch(table: TableShape, patch: object): { columns: string[]; values: SqlValue[] } {
  const columns: string[] = [];
  const values: SqlValue[] = [];
  for (const [field, value] of Object.entries(patch)) {
    if (field === 'id') throw new TypeError(`${table.name}: an id cannot be changed`);
    const column = columnOf(table, field);
    columns.push(column.name);
    values.push(encode(table, column, value));
  }
  return { columns, values };
}

/** The value of one field as it lies in its column, for comparing. @throws TypeError */
export function encodeField(table: TableShape, field: string, value: unknown): SqlValue {
  return encode(table, columnOf(table, field), value);
}

/** A row from the values of its columns, in their order. */
export function decodeRow(table: TableShape, values: readonly SqlValue[]): Fields {
  const row: Record<string, unknown> = {};
  for (const [index, column] of table.columns.entries()) row[column.field] = decode(column.kind, values[index] ?? null);
  return row;
}

export function columnOf(table: TableShape, field: string): Column {
  const column = table.columns.find((candidate) => candidate.field === field);
  if (column === undefined) throw new TypeError(`${table.name}: there is no field ${JSON.stringify(field)}`);
  return column;
}

function encode(table: TableShape, column: Column, value: unknown): SqlValue {
  switch (column.kind) {
    case 'text':
      if (typeof value === 'string') return value;
      break;
    case 'integer':
      if (Number.isSafeInteger(value)) return Number(value);
      break;
    case 'boolean':
      if (typeof value === 'boolean') return value ? 1 : 0;
      break;
    case 'json':
      if (typeof value === 'object' && value !== null) return JSON.stringify(value);
      break;
  }
  throw new TypeError(`${table.name}: ${column.field} must be ${column.kind}, not ${describe(value)}`);
}

/** Says the kind only: a value may be a secret. */
function describe(value: unknown): string {
  return value === null ? 'null' : typeof value;
}

function decode(kind: ColumnKind, value: SqlValue): unknown {
  if (kind === 'boolean') return value === 1;
  if (kind === 'json') return JSON.parse(String(value));
  return value;
}
