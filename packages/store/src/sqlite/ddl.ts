/** Migration steps as SQLite's SQL. */
import type { ColumnKind } from '@postern/resources';
import type { Step } from '../migrations/index.ts';
import { columnName, type TableShape } from '../schema/column.ts';
import { encodeRow, type Sealer } from '../schema/rows.ts';
import { insertRow, quoted, type Statement } from '../schema/statements.ts';
import { ACCOUNTS } from '../schema/tables.ts';
import type { AccountRow } from '../types.ts';

const TYPES: Readonly<Record<ColumnKind, string>> = {
  text: 'TEXT',
  integer: 'INTEGER',
  boolean: 'INTEGER',
  json: 'TEXT',
  secret: 'TEXT',
};

const CREATE_SETTINGS = 'CREATE TABLE "settings" ("name" TEXT NOT NULL PRIMARY KEY, "value" TEXT NOT NULL) STRICT';
const CREATE_CHANGE_LOG =
  'CREATE TABLE "changes" ("revision" INTEGER NOT NULL PRIMARY KEY, "table_name" TEXT NOT NULL, ' +
  '"row_id" TEXT NOT NULL, "op" TEXT NOT NULL) STRICT';

export interface DdlContext {
  readonly firstAccount: AccountRow;
  readonly secrets: Sealer;
}

/** The statements of one step, in order. */
export function compileStep(step: Exclude<Step, { do: 'seal' }>, context: DdlContext): Statement[] {
  if (step.do === 'create-table') {
    return [createTable(step.table), ...createIndexes(step.table)].map((sql) => ({ sql, values: [] }));
  }
  if (step.do === 'add-column') return [{ sql: addColumn(step), values: [] }];
  if (step.do === 'first-account')
    return [insertRow(ACCOUNTS, encodeRow(ACCOUNTS, context.firstAccount, context.secrets))];
  return [{ sql: step.do === 'create-settings' ? CREATE_SETTINGS : CREATE_CHANGE_LOG, values: [] }];
}

function createTable(table: TableShape): string {
  const columns = table.columns.map(({ name, kind }) => {
    const key = name === 'id' ? ' PRIMARY KEY' : '';
    return `${quoted(name)} ${TYPES[kind]} NOT NULL${key}${checkOf(name, kind)}`;
  });
  return `CREATE TABLE ${quoted(table.name)} (${columns.join(', ')}) STRICT`;
}

/** A default cannot be a parameter; migrations write it themselves, so that nothing foreign gets in. */
function addColumn({ table, column: { name, kind, value } }: Extract<Step, { do: 'add-column' }>): string {
  const text = typeof value === 'number' ? String(value) : `'${value.replaceAll("'", "''")}'`;
  return `ALTER TABLE ${quoted(table)} ADD COLUMN ${quoted(name)} ${TYPES[kind]} NOT NULL DEFAULT ${text}${checkOf(name, kind)}`;
}

function checkOf(name: string, kind: ColumnKind): string {
  return kind === 'boolean' ? ` CHECK (${quoted(name)} IN (0, 1))` : '';
}

function createIndexes(table: TableShape): string[] {
  return table.indexes.map(({ fields, unique }) => {
    const columns = fields.map(columnName);
    const name = quoted(`${table.name}_by_${columns.join('_')}`);
    const on = `${quoted(table.name)} (${columns.map(quoted).join(', ')})`;
    return `CREATE ${unique ? 'UNIQUE ' : ''}INDEX ${name} ON ${on}`;
  });
}
