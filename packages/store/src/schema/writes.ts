/** Writes as statements, and the database's words for a conflict as fields of a row. */
import type { TableName, Write } from '../types.ts';
import { encodePatch, encodeRow } from './rows.ts';
import { deleteRow, insertRow, updateRow, type Statement } from './statements.ts';
import { TABLES } from './tables.ts';

/** A statement, and what the change log will say of it. */
export interface WriteStatement extends Statement {
  readonly table: TableName;
  readonly rowId: string;
  readonly op: Write['op'];
}

/** @throws TypeError for a row or patch that its table cannot hold */
export function compileWrite(write: Write): WriteStatement {
  const table = TABLES[write.table];
  switch (write.op) {
    case 'insert':
      return {
        ...insertRow(table, encodeRow(table, write.row)),
        table: write.table,
        rowId: write.row.id,
        op: 'insert',
      };
    case 'update': {
      const { columns, values } = encodePatch(table, write.patch);
      return { ...updateRow(table, write.id, columns, values), table: write.table, rowId: write.id, op: 'update' };
    }
    case 'delete':
      return { ...deleteRow(table, write.id), table: write.table, rowId: write.id, op: 'delete' };
  }
}

/** `reserved_domains.domain` → `['domain']`. */
export function conflictFields(table: TableName, columns: string): string[] {
  return columns.split(', ').map((qualified) => {
    const name = qualified.slice(qualified.indexOf('.') + 1);
    return TABLES[table].columns.find((column) => column.name === name)?.field ?? name;
  });
}
