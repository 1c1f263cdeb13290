/** Writes as statements, and the database's words for a conflict as fields of a row. */
import type { TableName, Write } from '../types.ts';
import { encodePatch, encodeRow, type Sealer } from './rows.ts';
import { deleteRow, insertRow, updateRow, type Statement } from './statements.ts';
import { TABLES } from './tables.ts';

/** A statement, and what the change log will say of it. */
export interface WriteStatement extends Statement {
  readonly table: TableName;
  readonly rowId: string;
  readonly op: Write['op'];
}

/** @throws TypeError for a row or patch that its table cannot hold */
export function compileWrite(write: Write, sealer: Sealer): WriteStatement {
  const rowId = write.op === 'insert' ? write.row.id : write.id;
  return { ...statementOf(write, sealer), table: write.table, rowId, op: write.op };
}

function statementOf(write: Write, sealer: Sealer): Statement {
  const table = TABLES[write.table];
  if (write.op === 'insert') return insertRow(table, encodeRow(table, write.row, sealer));
  if (write.op === 'delete') return deleteRow(table, write.id);
  const { columns, values } = encodePatch(table, write.id, write.patch, sealer);
  return updateRow(table, write.id, columns, values);
}

/** `reserved_domains.domain` → `['domain']`. */
export function conflictFields(table: TableName, columns: string): string[] {
  return columns.split(', ').map((qualified) => {
    const name = qualified.slice(qualified.indexOf('.') + 1);
    return TABLES[table].columns.find((column) => column.name === name)?.field ?? name;
  });
}
