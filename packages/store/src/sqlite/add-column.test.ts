/** A column that comes later: what an older database's rows have in it, and that it is there whole or not at all. */
import { describe, expect, test } from 'vitest';
import { MIGRATIONS, SCHEMA_VERSION, type Migration } from '../migrations/index.ts';
import { storePaths } from '../paths.ts';
import { tableShape } from '../schema/column.ts';
import { decodeRow, encodeRow, type SqlValue } from '../schema/rows.ts';
import { insertRow, selectAll } from '../schema/statements.ts';
import { createSecretBox, keyIdOf } from '../secrets.ts';
import { openTestStore, temporaryDirectory } from '../testing/directory.ts';
import { TEST_KEY } from '../testing/key.ts';
import { openDatabase, rowsOf, type Database } from './driver.ts';
import { migrate, versionOf, type MigrationContext } from './migrate.ts';

/** "PSTN" */
const APPLICATION_ID = 1_347_638_350;
const AT = '2026-11-24T23:15:57Z';
const CONTEXT: MigrationContext = {
  firstAccount: { id: 'ac_1', name: 'Default', ownerUserId: 'usr_1', createdAt: AT },
  secrets: createSecretBox(TEST_KEY),
};
/** Before reservations had regions. */
const OLD = MIGRATIONS.slice(0, 2);
const THING = { id: 'text', name: 'text' } as const;
const thing = tableShape('things', THING);

/** A database as the server of that time left it, with one reservation. */
function leaveOldDatabase(directory: string): void {
  const db = openDatabase(storePaths(directory).database, { busyMs: 0 });
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  db.exec('PRAGMA journal_mode = WAL');
  migrate(db, CONTEXT, OLD);
  db.prepare('INSERT INTO "settings" VALUES (?, ?)').run('key_id', keyIdOf(TEST_KEY));
  db.prepare(
    `INSERT INTO "reserved_domains" ("id", "account_id", "created_at", "domain", "description", "metadata", "automatic")
     VALUES ('rd_1', 'ac_1', ?, 'a.example', 'old', '', 1)`,
  ).run(AT);
  db.close();
}

test('an old database opens with the new column: its rows have the default, and are written on as all are', async () => {
  const directory = temporaryDirectory();
  leaveOldDatabase(directory);
  const store = await openTestStore(directory);
  const row = { id: 'rd_1', accountId: 'ac_1', createdAt: AT, domain: 'a.example', description: 'old', metadata: '' };
  const later = { certificateId: '', authority: '', privateKeyType: '' };
  expect(await store.reservedDomains.get('rd_1')).toEqual({ ...row, automatic: true, region: '', ...later });
  await store.commit([store.reservedDomains.update('rd_1', { region: 'eu' })]);
  await store.commit([
    store.reservedDomains.insert({ ...row, id: 'rd_2', domain: 'b.example', automatic: false, region: 'us', ...later }),
  ]);
  expect((await store.all('reservedDomains')).map(({ id, region }) => [id, region])).toEqual([
    ['rd_1', 'eu'],
    ['rd_2', 'us'],
  ]);
});

function withThings(): Database {
  const db = openDatabase(':memory:', { busyMs: 0 });
  const create: Migration = {
    version: SCHEMA_VERSION + 1,
    name: 'things',
    steps: [{ do: 'create-table', table: thing }],
  };
  migrate(db, CONTEXT, [...MIGRATIONS, create]);
  insert(db, ['th_1', 'one'], ['th_2', 'two']);
  return db;
}

function insert(db: Database, ...rows: readonly (readonly [string, string])[]): void {
  for (const [id, name] of rows) {
    const { sql, values } = insertRow(thing, encodeRow(thing, { id, name }, CONTEXT.secrets));
    db.prepare(sql).run(...values);
  }
}

describe('a column of every kind', () => {
  const steps: Migration['steps'] = [
    { do: 'add-column', table: 'things', column: { name: 'colour', kind: 'text', value: "it's red" } },
    { do: 'add-column', table: 'things', column: { name: 'size', kind: 'integer', value: 7 } },
    { do: 'add-column', table: 'things', column: { name: 'is_new', kind: 'boolean', value: 0 } },
    { do: 'add-column', table: 'things', column: { name: 'labels', kind: 'json', value: '{"a":"b"}' } },
    { do: 'add-column', table: 'things', column: { name: 'password', kind: 'secret', value: 'none yet' } },
  ];
  const shape = tableShape('things', {
    ...THING,
    colour: 'text',
    size: 'integer',
    isNew: 'boolean',
    labels: 'json',
    password: 'secret',
  });
  const later = (more: Migration['steps']): readonly Migration[] => [
    ...MIGRATIONS,
    { version: SCHEMA_VERSION + 1, name: 'things', steps: [] },
    { version: SCHEMA_VERSION + 2, name: 'more of things', steps: more },
  ];
  const rowsIn = (db: Database): readonly SqlValue[][] => rowsOf(db.prepare(selectAll(shape).sql), []);

  test('has its default in the rows that are there, sealed where it is a secret', () => {
    const db = withThings();
    migrate(db, CONTEXT, later(steps));
    const added = { colour: "it's red", size: 7, isNew: false, labels: { a: 'b' }, password: 'none yet' };
    expect(rowsIn(db).map((values) => decodeRow(shape, values, CONTEXT.secrets))).toEqual([
      { id: 'th_1', name: 'one', ...added },
      { id: 'th_2', name: 'two', ...added },
    ]);
    expect(JSON.stringify(rowsIn(db))).not.toContain('none yet');
    db.close();
  });

  test('is there with all that the migration brings, or not at all', () => {
    const db = withThings();
    const broken = later([...steps, { do: 'seal', table: 'things', column: 'nothing of the kind' }]);
    expect(() => migrate(db, CONTEXT, broken)).toThrow(/nothing of the kind/);
    expect(versionOf(db)).toBe(SCHEMA_VERSION + 1);
    expect(rowsOf(db.prepare('SELECT name FROM pragma_table_info(?)'), ['things']).map(String)).toEqual(['id', 'name']);
    // The old code goes on with it, and the next try finds all rows.
    insert(db, ['th_3', 'three']);
    migrate(db, CONTEXT, later(steps));
    expect(rowsIn(db)).toHaveLength(3);
    db.close();
  });
});
