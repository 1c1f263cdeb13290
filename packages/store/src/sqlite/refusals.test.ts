import { DatabaseSync } from 'node:sqlite';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { domainRow } from '../contract/rows.ts';
import { storePaths, type StorePaths } from '../paths.ts';
import type { RefusalReason } from '../refused.ts';
import { openTestStore, temporaryDirectory } from '../testing/directory.ts';
import { TEST_KEY } from '../testing/key.ts';
import { openStore } from './store.ts';

/** What can have happened to a file, and what is said of it. */
const DAMAGES: readonly (readonly [string, RefusalReason, RegExp, (paths: StorePaths) => void])[] = [
  ['emptied', 'damaged', /is damaged \(the file is empty\).*postern restore/, ({ database }) => truncateSync(database)],
  ['cut off', 'damaged', /is damaged.*postern restore/, ({ database }) => truncateSync(database, 8192)],
  [
    'overwritten at its start',
    'damaged',
    /does not begin like a database.*postern restore/,
    ({ database }) => overwrite(database, 0, 100),
  ],
  ['overwritten inside', 'damaged', /is damaged.*postern restore/, ({ database }) => overwrite(database, 4096, 8192)],
  [
    'lost, but for its log',
    'damaged',
    /the file itself is missing.*postern restore/,
    ({ database }) => {
      copyFileSync(database, `${database}-wal`);
      rmSync(database);
    },
  ],
  [
    'written by a newer version',
    'too_new',
    /newer Postern \(schema version 99; this one knows versions up to \d+\).*Run that newer version again/,
    ({ database }) => execute(database, 'PRAGMA user_version = 99'),
  ],
  [
    'robbed of its tables',
    'damaged',
    /is damaged \(it has no tables\)/,
    ({ database }) => execute(database, 'PRAGMA user_version = 0'),
  ],
  [
    "replaced by another program's",
    'foreign',
    /not one of Postern.*--data-dir/,
    ({ database }) => {
      rmSync(database);
      execute(database, 'CREATE TABLE mine (x)');
    },
  ],
];

describe('a database that was', () => {
  const filled = mkdtempSync(join(tmpdir(), 'postern-store-'));
  beforeAll(() => fill(filled));
  afterAll(() => rmSync(filled, { recursive: true, force: true }));

  test.each(DAMAGES)('%s is refused as %s, and left as it is', async (_, reason, message, damage) => {
    const directory = temporaryDirectory();
    const paths = storePaths(directory);
    cpSync(filled, directory, { recursive: true });
    damage(paths);
    const before = existsSync(paths.database) ? readFileSync(paths.database) : null;
    const error: unknown = await openTestStore(directory).catch((refusal: unknown) => refusal);
    expect(error).toMatchObject({ name: 'StoreRefused', reason });
    expect(String(error)).toMatch(message);
    expect(existsSync(paths.database) ? readFileSync(paths.database) : null).toEqual(before);
    // The refusal let go of the directory.
    await expect(openTestStore(directory)).rejects.toMatchObject({ reason });
  });

  test('sealed with another key is refused as wrong_key', async () => {
    const directory = temporaryDirectory();
    cpSync(filled, directory, { recursive: true });
    const other = openTestStore(directory, { encryptionKey: new Uint8Array(32).fill(9) });
    await expect(other).rejects.toThrow(/encrypted with another key.*encryption\.key/s);
  });
});

describe('a data directory', () => {
  test('belongs to one store at a time, and names the process that has it', async () => {
    const directory = temporaryDirectory();
    const first = await openTestStore(directory);
    const second = openTestStore(directory);
    await expect(second).rejects.toMatchObject({ reason: 'in_use' });
    await expect(openTestStore(directory)).rejects.toThrow(new RegExp(`pid ${process.pid}`));
    await first.close();
    await openTestStore(directory);
  });

  test('is not closed to anybody by an unreadable lock file', async () => {
    const directory = temporaryDirectory();
    writeFileSync(storePaths(directory).lock, 'what a power cut left behind'.repeat(50));
    const store = await openTestStore(directory);
    await expect(openTestStore(directory)).rejects.toMatchObject({ reason: 'in_use' });
    await store.close();
  });

  test('that cannot be made is refused with its name', async () => {
    const file = storePaths(temporaryDirectory()).database;
    writeFileSync(file, '');
    await expect(openTestStore(`${file}/below`)).rejects.toMatchObject({ reason: 'no_access' });
  });

  test('whose first start was interrupted starts again', async () => {
    const directory = temporaryDirectory();
    const { database } = storePaths(directory);
    writeFileSync(`${database}.new`, 'half of a database');
    writeFileSync(`${database}.new-wal`, 'and its log');
    const store = await openTestStore(directory);
    expect(await store.accounts()).toHaveLength(1);
    expect(existsSync(`${database}.new`)).toBe(false);
  });
});

async function fill(directory: string): Promise<void> {
  const store = await openStore({ directory, encryptionKey: TEST_KEY });
  await store.commit(
    Array.from({ length: 300 }, (_, n) => store.reservedDomains.insert(domainRow(`rd_${n}`, `d${n}.example`))),
  );
  await store.close();
}

function overwrite(path: string, from: number, length: number): void {
  const content = readFileSync(path);
  content.fill(0x5a, from, from + length);
  writeFileSync(path, content);
}

function execute(path: string, sql: string): void {
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
}
