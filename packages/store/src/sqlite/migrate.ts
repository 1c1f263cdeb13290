import { MIGRATIONS, type Migration } from '../migrations/index.ts';
import { quoted } from '../schema/statements.ts';
import { compileStep, type DdlContext } from './ddl.ts';
import { rowsOf, scalar, type Database } from './driver.ts';

export type MigrationContext = DdlContext;

export function versionOf(db: Database): number {
  return Number(scalar(db, 'PRAGMA user_version'));
}

/** Brings a database to the newest version, each migration whole or not at all. */
export function migrate(db: Database, context: MigrationContext, migrations: readonly Migration[] = MIGRATIONS): void {
  const from = versionOf(db);
  for (const migration of migrations.filter(({ version }) => version > from)) {
    // What a step replaces is overwritten, not only let go.
    db.exec('PRAGMA secure_delete = ON');
    db.exec('BEGIN IMMEDIATE');
    try {
      for (const step of migration.steps) {
        if (step.do === 'seal') sealColumn(db, step.table, step.column, context);
        else for (const { sql, values } of compileStep(step, context)) db.prepare(sql).run(...values);
        // The default of a column is one text for all rows, and each has to be sealed in its own place.
        if (step.do === 'add-column' && step.column.kind === 'secret') {
          sealColumn(db, step.table, step.column.name, context);
        }
      }
      db.exec(`PRAGMA user_version = ${migration.version}`);
      db.exec('COMMIT');
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  }
}

/** The context of a sealed text is that of `secretContext` in schema/rows.ts. */
function sealColumn(db: Database, table: string, column: string, { secrets }: MigrationContext): void {
  const rows = rowsOf(db.prepare(`SELECT "id", ${quoted(column)} FROM ${quoted(table)}`), []);
  const update = db.prepare(`UPDATE ${quoted(table)} SET ${quoted(column)} = ? WHERE "id" = ?`);
  for (const [id, text] of rows) {
    update.run(secrets.seal(String(text), `${table}.${column}.${String(id)}`), String(id));
  }
}
