import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { domainRow } from './contract/rows.ts';
import { backupStore, inspectDatabase, restoreStore } from './maintenance.ts';
import { SCHEMA_VERSION } from './migrations/index.ts';
import { storePaths } from './paths.ts';
import { keyIdOf } from './secrets.ts';
import { openTestStore, temporaryDirectory } from './testing/directory.ts';
import { TEST_KEY } from './testing/key.ts';
import { expectLogToMatchRows } from './testing/replay.ts';
import type { Store } from './types.ts';

describe('a backup', () => {
  // As the server makes it, and as another process does.
  const ways: readonly (readonly [string, (store: Store, directory: string, to: string) => Promise<unknown>])[] = [
    ['by the store itself', (store, _, to) => store.backup(to)],
    ['from outside', (_, directory, to) => backupStore({ directory, to })],
  ];

  test.each(ways)('%s, taken while others write, is one moment of the database', async (_, backup) => {
    const directory = temporaryDirectory();
    const store = await openTestStore(directory);
    const stop = new AbortController();
    let written = 0;
    const writers = Array.from({ length: 4 }, async () => {
      while (!stop.signal.aborted) await reservePair(store, written++);
    });
    for (let round = 0; round < 3; round++) {
      const before = await store.revision();
      const target = join(directory, `backup-${round}.db`);
      await backup(store, directory, target);
      const summary = inspectDatabase(target);
      expect(summary.revision).toBeGreaterThanOrEqual(before);
      expect(summary.resources).toBe(summary.revision);
      expect(summary.revision % 2).toBe(0);
    }
    stop.abort();
    await Promise.all(writers);
    const made = readdirSync(directory).filter((name) => name.startsWith('backup'));
    expect(made).toEqual(['backup-0.db', 'backup-1.db', 'backup-2.db']);
    await expectLogToMatchRows(store);
  });

  test('says what it holds, is for its owner only, and has no key in it', async () => {
    const directory = temporaryDirectory();
    const store = await openTestStore(directory);
    await reservePair(store, 1);
    const to = join(directory, 'backup.db');
    expect(await backupStore({ directory, to })).toEqual({
      path: to,
      schemaVersion: SCHEMA_VERSION,
      revision: 2,
      accounts: 1,
      resources: 2,
      keyId: keyIdOf(TEST_KEY),
    });
    expect(readFileSync(to).includes(Buffer.from(TEST_KEY))).toBe(false);
    if (process.platform !== 'win32') expect(statSync(to).mode & 0o777).toBe(0o600);
  });

  test('overwrites nothing and leaves nothing half made', async () => {
    const directory = temporaryDirectory();
    const store = await openTestStore(directory);
    const to = join(directory, 'backup.db');
    writeFileSync(to, 'something else');
    await expect(store.backup(to)).rejects.toMatchObject({ name: 'StoreRefused', reason: 'target_exists' });
    expect(readFileSync(to, 'utf8')).toBe('something else');
    const nowhere = join(directory, 'no', 'such', 'folder.db');
    await expect(backupStore({ directory, to: nowhere })).rejects.toMatchObject({ reason: 'no_access' });
    await expect(store.backup(nowhere)).rejects.toMatchObject({ reason: 'no_access' });
    expect(readdirSync(directory).filter((name) => name.includes('partial'))).toEqual([]);
  });

  test('of a folder without a database says so', async () => {
    const directory = temporaryDirectory();
    await expect(backupStore({ directory, to: join(directory, 'x.db') })).rejects.toThrow(/there is no such file/);
  });
});

describe('restoring', () => {
  test('brings back what was backed up, and keeps what was there', async () => {
    const { directory, backup } = await directoryWithBackup();
    const later = await openTestStore(directory);
    await reservePair(later, 2);
    await later.close();
    const restored = await restoreStore({ from: backup, directory, encryptionKey: TEST_KEY, now: () => 0 });
    expect(restored.previous).toBe(`${storePaths(directory).database}.replaced-19700101T000000Z`);
    expect(inspectDatabase(restored.previous ?? '').resources).toBe(4);
    const store = await openTestStore(directory);
    expect((await store.all('reservedDomains')).map(({ id }) => id)).toEqual(['rd_1_a', 'rd_1_b']);
    await reservePair(store, 3);
    await expectLogToMatchRows(store);
  });

  test('works on a new folder, and again from the same backup', async () => {
    const { backup } = await directoryWithBackup();
    const directory = join(temporaryDirectory(), 'new');
    expect((await restoreStore({ from: backup, directory })).previous).toBeNull();
    expect((await restoreStore({ from: backup, directory })).previous).not.toBeNull();
    const store = await openTestStore(directory);
    expect(await store.all('reservedDomains')).toHaveLength(2);
  });

  test('replaces a damaged database, which it keeps', async () => {
    const { directory, backup } = await directoryWithBackup();
    const { database } = storePaths(directory);
    writeFileSync(database, 'not a database');
    writeFileSync(`${database}-wal`, 'nor a log');
    const { previous } = await restoreStore({ from: backup, directory });
    expect(readFileSync(previous ?? '', 'utf8')).toBe('not a database');
    expect(existsSync(`${database}-wal`)).toBe(false);
    const store = await openTestStore(directory);
    expect(await store.all('reservedDomains')).toHaveLength(2);
  });

  test('is refused while a store is open, and changes nothing', async () => {
    const { directory, backup } = await directoryWithBackup();
    const store = await openTestStore(directory);
    await reservePair(store, 2);
    await expect(restoreStore({ from: backup, directory })).rejects.toMatchObject({ reason: 'in_use' });
    expect(await store.all('reservedDomains')).toHaveLength(4);
  });

  test('is refused for what is no whole backup of this key', async () => {
    const { directory, backup } = await directoryWithBackup();
    const before = readFileSync(storePaths(directory).database);
    const cut = join(directory, 'cut.db');
    writeFileSync(cut, readFileSync(backup).subarray(0, 8192));
    await expect(restoreStore({ from: cut, directory })).rejects.toMatchObject({ reason: 'damaged' });
    await expect(restoreStore({ from: `${cut}.not`, directory })).rejects.toMatchObject({ reason: 'no_access' });
    const otherKey = new Uint8Array(32).fill(9);
    await expect(restoreStore({ from: backup, directory, encryptionKey: otherKey })).rejects.toMatchObject({
      reason: 'wrong_key',
    });
    expect(readFileSync(storePaths(directory).database)).toEqual(before);
  });
});

async function directoryWithBackup(): Promise<{ directory: string; backup: string }> {
  const directory = temporaryDirectory();
  const store = await openTestStore(directory);
  await reservePair(store, 1);
  const backup = join(directory, 'backup.db');
  await store.backup(backup);
  await store.close();
  return { directory, backup };
}

function reservePair(store: Store, n: number): Promise<unknown> {
  return store.commit(
    ['a', 'b'].map((half) => store.reservedDomains.insert(domainRow(`rd_${n}_${half}`, `${half}.d${n}.example`))),
  );
}
