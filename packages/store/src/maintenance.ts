/** What `postern backup` and `postern restore` do, for a data directory whose server may or may not be running. */
import { copyFileSync, existsSync, linkSync, renameSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { storePaths } from './paths.ts';
import { noAccess, StoreRefused, targetExists } from './refused.ts';
import { keyIdOf } from './secrets.ts';
import { copyDatabase, removeDatabase } from './sqlite/copy.ts';
import { messageOf, openDatabase, scalar, sqliteCode } from './sqlite/driver.ts';
import { openReadOnly, syncPath } from './sqlite/file.ts';
import { lockDirectory } from './sqlite/lock.ts';
import { versionOf } from './sqlite/migrate.ts';
import { ACCOUNTS, TABLES } from './schema/tables.ts';

/** What a database file says of itself. */
export interface DatabaseSummary {
  readonly path: string;
  /** Older than this code's is fine: it is brought up to date when it is opened. */
  readonly schemaVersion: number;
  readonly revision: number;
  readonly accounts: number;
  /** Rows of all resources. */
  readonly resources: number;
  /** Names the encryption key that its secrets need (`keyIdOf`). */
  readonly keyId: string;
}

/**
 * Copies the database of a data directory into one new file, also while a server runs on it; that server goes on
 * writing. The encryption key is not part of it: keep it apart, and keep it.
 * @throws StoreRefused `no_access`, `damaged`, `too_new`, `foreign`, `target_exists`
 */
export async function backupStore(options: {
  readonly directory: string;
  readonly to: string;
}): Promise<DatabaseSummary> {
  await copyDatabase(storePaths(options.directory).database, options.to);
  return inspectDatabase(resolve(options.to));
}

export interface Restored extends DatabaseSummary {
  /** Where the database that was there before is kept, or null if there was none. */
  readonly previous: string | null;
}

/**
 * Puts a backup in the place of a data directory's database. The backup is checked first; the old database is kept
 * under another name; and the change is one rename, so that a power cut leaves either the old or the new one.
 * `encryptionKey`: the key that the server will use; a backup sealed with another is refused.
 * @throws StoreRefused `in_use` while a server runs; `damaged`, `too_new`, `foreign`, `wrong_key`, `no_access`
 */
export async function restoreStore(options: {
  readonly from: string;
  readonly directory: string;
  readonly encryptionKey?: Uint8Array;
  /** Milliseconds since 1970; names the old database. */
  readonly now?: () => number;
}): Promise<Restored> {
  const from = resolve(options.from);
  const paths = storePaths(resolve(options.directory));
  if (from === paths.database) throw noAccess(from, 'a database cannot be restored from itself');
  const keyId = options.encryptionKey === undefined ? null : keyIdOf(options.encryptionKey);
  openReadOnly(from, keyId).close();

  const lock = lockDirectory(paths);
  const incoming = `${paths.database}.restoring`;
  try {
    removeDatabase(incoming);
    await copyDatabase(from, incoming);
    const previous = existsSync(paths.database) ? `${paths.database}.replaced-${stamp(options.now ?? Date.now)}` : null;
    if (previous !== null) keepPrevious(paths.database, previous);
    // The log of the old database must never meet the new one.
    for (const suffix of ['-wal', '-shm']) rmSync(paths.database + suffix, { force: true });
    renameSync(incoming, paths.database);
    syncPath(paths.directory);
    return { ...inspectDatabase(paths.database), previous };
  } catch (error) {
    removeDatabase(incoming);
    throw error instanceof StoreRefused ? error : noAccess(paths.database, messageOf(error));
  } finally {
    lock.release();
  }
}

/** Reads what a database or backup is, after checking that it is whole. @throws StoreRefused */
export function inspectDatabase(path: string): DatabaseSummary {
  const db = openReadOnly(path, null);
  try {
    const count = (table: string): number => Number(scalar(db, `SELECT count(*) FROM "${table}"`));
    return {
      path,
      schemaVersion: versionOf(db),
      revision: Number(scalar(db, 'SELECT coalesce(max("revision"), 0) FROM "changes"')),
      accounts: count(ACCOUNTS.name),
      resources: Object.values(TABLES).reduce((sum, { name }) => sum + count(name), 0),
      keyId: String(scalar(db, `SELECT "value" FROM "settings" WHERE "name" = 'key_id'`)),
    };
  } finally {
    db.close();
  }
}

/**
 * Gives the old database a second name; whole or broken, it stays as it was. Its log is moved into it before, so that
 * a power cut between the two renames finds nothing missing; where that fails it is broken, and its log goes along.
 */
function keepPrevious(database: string, previous: string): void {
  if (existsSync(previous)) throw targetExists(previous);
  try {
    const old = openDatabase(database, { busyMs: 0 });
    try {
      scalar(old, 'PRAGMA wal_checkpoint(TRUNCATE)');
    } finally {
      old.close();
    }
  } catch (error) {
    if (sqliteCode(error) === null) throw error;
  }
  try {
    linkSync(database, previous);
  } catch {
    // Some file systems know no second names.
    copyFileSync(database, previous);
  }
  if (existsSync(`${database}-wal`)) renameSync(`${database}-wal`, `${previous}-wal`);
}

/** `20261124T231557Z` */
function stamp(now: () => number): string {
  return new Date(now()).toISOString().replaceAll(/[-:]|\.\d+/g, '');
}
