import { MIGRATIONS, type Migration } from '../migrations/index.ts';
import { compileStep, type DdlContext } from './ddl.ts';
import { scalar, type Database } from './driver.ts';

export function versionOf(db: Database): number {
  return Number(scalar(db, 'PRAGMA user_version'));
}

/** Brings a database to the newest version, each migration whole or not at all. */
export function migrate(db: Database, context: DdlContext, migrations: readonly Migration[] = MIGRATIONS): void {
  const from = versionOf(db);
  for (const migration of migrations.filter(({ version }) => version > from)) {
    db.exec('BEGIN IMMEDIATE');
    try {
      for (const step of migration.steps) {
        for (const { sql, values } of compileStep(step, context)) db.prepare(sql).run(...values);
      }
      db.exec(`PRAGMA user_version = ${migration.version}`);
      db.exec('COMMIT');
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  }
}
