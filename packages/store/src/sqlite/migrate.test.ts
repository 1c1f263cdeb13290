import { describe, expect, test } from 'vitest';
import { MIGRATIONS, SCHEMA_VERSION, type Migration } from '../migrations/index.ts';
import { columnName, tableShape, type TableShape } from '../schema/column.ts';
import { ACCOUNTS, TABLES } from '../schema/tables.ts';
import { openDatabase, rowsOf, scalar, type Database } from './driver.ts';
import { createSecretBox } from '../secrets.ts';
import { TEST_KEY } from '../testing/key.ts';
import { migrate, versionOf, type MigrationContext } from './migrate.ts';

const firstAccount = { id: 'ac_1', name: 'Default', ownerUserId: 'usr_1', createdAt: '2026-11-24T23:15:57Z' };
const CONTEXT: MigrationContext = { firstAccount, secrets: createSecretBox(TEST_KEY) };

describe('migrations', () => {
  test('are numbered from 1 without gaps', () => {
    expect(MIGRATIONS.map(({ version }) => version)).toEqual(MIGRATIONS.map((_, index) => index + 1));
  });

  test('end in the tables that the code reads and writes', () => {
    const db = migrated();
    expect(versionOf(db)).toBe(SCHEMA_VERSION);
    for (const table of [...Object.values(TABLES), ACCOUNTS]) {
      // Their order is that in which they came; statements name them.
      const columns = table.columns.map(({ name }) => name);
      expect(columnsOf(db, table.name).toSorted(), table.name).toEqual(columns.toSorted());
      expect(indexesOf(db, table.name), table.name).toEqual(indexesOfShape(table));
    }
    db.close();
  });

  test('do nothing the second time', () => {
    const db = migrated();
    migrate(db, { ...CONTEXT, firstAccount: { ...firstAccount, id: 'ac_2' } });
    expect(scalar(db, 'SELECT group_concat("id") FROM "accounts"')).toBe('ac_1');
    db.close();
  });

  test('keep what is there, and fail whole', () => {
    const db = migrated();
    const shape = tableShape('later', { id: 'text' });
    const broken: Migration = {
      version: SCHEMA_VERSION + 1,
      name: 'broken',
      // The second step finds the table of the first.
      steps: [
        { do: 'create-table', table: shape },
        { do: 'create-table', table: shape },
      ],
    };
    expect(() => migrate(db, CONTEXT, [...MIGRATIONS, broken])).toThrow(/already exists/);
    expect(versionOf(db)).toBe(SCHEMA_VERSION);
    expect(columnsOf(db, 'later')).toEqual([]);
    migrate(db, CONTEXT, [...MIGRATIONS, { ...broken, steps: broken.steps.slice(1) }]);
    expect(versionOf(db)).toBe(SCHEMA_VERSION + 1);
    expect(columnsOf(db, 'later')).toEqual(['id']);
    expect(scalar(db, 'SELECT count(*) FROM "accounts"')).toBe(1);
    db.close();
  });
});

function migrated(): Database {
  const db = openDatabase(':memory:', { busyMs: 0 });
  migrate(db, CONTEXT);
  return db;
}

function columnsOf(db: Database, table: string): string[] {
  return rowsOf(db.prepare('SELECT name FROM pragma_table_info(?)'), [table]).map(String);
}

/** `unique domain`, `account_id, id`, …; what SQLite adds for primary keys is left out. */
function indexesOf(db: Database, table: string): string[] {
  const sql = `SELECT l.name, l."unique", (SELECT group_concat(name, ', ') FROM pragma_index_info(l.name))
    FROM pragma_index_list(?) AS l WHERE l.origin = 'c'`;
  return rowsOf(db.prepare(sql), [table])
    .map(([, unique, columns]) => (unique === 1 ? 'unique ' : '') + String(columns))
    .toSorted();
}

function indexesOfShape(table: TableShape): string[] {
  return table.indexes
    .map(({ fields, unique }) => (unique ? 'unique ' : '') + fields.map(columnName).join(', '))
    .toSorted();
}
