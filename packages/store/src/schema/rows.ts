/** Rows to column values and back. Wrong rows are programming errors and are told to whoever made them, with names. */
import type { SecretBox } from '../types.ts';
import type { Column, TableShape } from './column.ts';

/** What a database driver takes and gives. */
export type SqlValue = string | number | null;
export type Fields = Readonly<Record<string, unknown>>;
/** For columns that hold secrets. */
export type Sealer = Pick<SecretBox, 'seal' | 'open'>;

/** Values of a whole row, in the order of the table's columns. @throws TypeError */
export function encodeRow(table: TableShape, row: object, sealer: Sealer): SqlValue[] {
  const given = new Map<string, unknown>(Object.entries(row));
  const id = String(given.get('id'));
  const values = table.columns.map((column) => encode(table, column, given.get(column.field), id, sealer));
  if (given.size !== table.columns.length) {
    for (const field of given.keys()) columnOf(table, field);
  }
  return values;
}

/** Columns and values of a patch of the row `id`, which never changes. @throws TypeError */
export function encodePatch(
  table: TableShape,
  id: string,
  patch: object,
  sealer: Sealer,
): { columns: string[]; values: SqlValue[] } {
  const columns: string[] = [];
  const values: SqlValue[] = [];
  for (const [field, value] of Object.entries(patch)) {
    if (field === 'id') throw new TypeError(`${table.name}: an id cannot be changed`);
    const column = columnOf(table, field);
    columns.push(column.name);
    values.push(encode(table, column, value, id, sealer));
  }
  return { columns, values };
}

/** The value of one field as it lies in its column, for comparing. @throws TypeError */
export function encodeField(table: TableShape, field: string, value: unknown): SqlValue {
  const column = columnOf(table, field);
  if (column.kind === 'secret') throw new TypeError(`${table.name}: ${field} is sealed and cannot be compared`);
  return encodePlain(table, column, value);
}

/** A row from the values of its columns, in their order. */
export function decodeRow(table: TableShape, values: readonly SqlValue[], sealer: Sealer): Fields {
  const row: Record<string, unknown> = {};
  // The id stands first.
  const id = String(values[0]);
  for (const [index, column] of table.columns.entries()) {
    row[column.field] = decode(table, column, values[index] ?? null, id, sealer);
  }
  return row;
}

/** Binds a sealed text to its place: moved to another row or column it does not open. */
export function secretContext(table: TableShape, column: Column, id: string): string {
  return `${table.name}.${column.name}.${id}`;
}

export function columnOf(table: TableShape, field: string): Column {
  const column = table.columns.find((candidate) => candidate.field === field);
  if (column === undefined) throw new TypeError(`${table.name}: there is no field ${JSON.stringify(field)}`);
  return column;
}

function encode(table: TableShape, column: Column, value: unknown, id: string, sealer: Sealer): SqlValue {
  const plain = encodePlain(table, column, value);
  return column.kind === 'secret' ? sealer.seal(String(plain), secretContext(table, column, id)) : plain;
}

function encodePlain(table: TableShape, column: Column, value: unknown): SqlValue {
  switch (column.kind) {
    case 'text':
    case 'secret':
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

function decode(table: TableShape, column: Column, value: SqlValue, id: string, sealer: Sealer): unknown {
  const { kind } = column;
  if (kind === 'boolean') return value === 1;
  if (kind === 'json') return JSON.parse(String(value));
  if (kind === 'secret') return sealer.open(String(value), secretContext(table, column, id));
  return value;
}
