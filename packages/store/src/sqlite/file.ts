/** Opening a database file with every doubt answered before the first row is read. */
import { chmodSync, closeSync, existsSync, fsyncSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { SCHEMA_VERSION } from '../migrations/index.ts';
import { damaged, foreign, noAccess, StoreRefused, tooNew, wrongKey } from '../refused.ts';
import type { AccountRow } from '../types.ts';
import { isDamage, messageOf, openDatabase, scalar, type Database } from './driver.ts';
import { createSecretBox, keyIdOf } from '../secrets.ts';
import { migrate, versionOf, type MigrationContext } from './migrate.ts';

/** "PSTN", in the header of every database of ours. */
const APPLICATION_ID = 0x5053_544e;
const MAGIC = 'SQLite format 3\0';
const BUSY_MS = 5000;

/**
 * Opens for reading and writing what passes `inspect`, and brings it up to date.
 * @throws StoreRefused
 */
export function openFile(path: string, encryptionKey: Uint8Array, firstAccount: AccountRow): Database {
  const keyId = keyIdOf(encryptionKey);
  const context: MigrationContext = { firstAccount, secrets: createSecretBox(encryptionKey) };
  return guarded(path, () => {
    if (!existsSync(path)) createFile(path, keyId, context);
    checkHeader(path);
    const db = openDatabase(path, { busyMs: BUSY_MS });
    try {
      inspect(db, path, keyId);
      configure(db);
      const before = versionOf(db);
      migrate(db, context);
      if (versionOf(db) !== before) forgetOldPages(db);
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

/** Opens for reading only, after the same doubts. `keyId` null: whatever key it has. */
export function openReadOnly(path: string, keyId: string | null): Database {
  return guarded(path, () => {
    if (!existsSync(path)) throw noAccess(path, 'there is no such file');
    checkHeader(path);
    const db = openDatabase(path, { readOnly: true, busyMs: BUSY_MS });
    try {
      inspect(db, path, keyId);
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

/** So that what was renamed or created in it is still there after a power cut. */
export function syncPath(path: string): void {
  // Windows opens no folders, and needs no such thing.
  if (process.platform === 'win32' && statSync(path).isDirectory()) return;
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** WAL with a full sync at every commit: what was acknowledged survives a power cut. */
function configure(db: Database): void {
  db.exec('PRAGMA journal_mode = WAL');
  db.exec('PRAGMA synchronous = FULL');
  db.exec('PRAGMA journal_size_limit = 67108864');
  db.exec('PRAGMA cache_size = -8192');
  db.exec('PRAGMA trusted_schema = OFF');
}

/**
 * After a migration: pages that are free, and the log, may still show what the tables do not say any more. Where there
 * is no room for a second copy, the next migration tries again.
 */
function forgetOldPages(db: Database): void {
  try {
    db.exec('VACUUM');
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } catch (error) {
    if (isDamage(error)) throw error;
  }
}

/**
 * Makes the file under another name and renames it when it is whole, so that a database file that is empty or half
 * made is always damage and never a fresh start.
 */
function createFile(path: string, keyId: string, context: MigrationContext): void {
  if (existsSync(`${path}-wal`)) throw damaged(path, 'the file itself is missing, its write-ahead log is there');
  const fresh = `${path}.new`;
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(fresh + suffix, { force: true });
  closeSync(openSync(fresh, 'wx', 0o600));
  const db = openDatabase(fresh, { busyMs: BUSY_MS });
  try {
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    configure(db);
    migrate(db, context);
    db.prepare('INSERT INTO "settings" VALUES (?, ?)').run('key_id', keyId);
  } finally {
    db.close();
  }
  chmodSync(fresh, 0o600);
  syncPath(fresh);
  renameSync(fresh, path);
  syncPath(dirname(path));
}

function checkHeader(path: string): void {
  const handle = openSync(path, 'r');
  try {
    const head = Buffer.alloc(MAGIC.length);
    const length = readSync(handle, head, 0, head.length, 0);
    if (length === 0) throw damaged(path, 'the file is empty');
    if (head.toString('latin1') !== MAGIC) throw damaged(path, 'it does not begin like a database');
  } finally {
    closeSync(handle);
  }
}

function inspect(db: Database, path: string, keyId: string | null): void {
  if (scalar(db, 'PRAGMA application_id') !== APPLICATION_ID) throw foreign(path);
  const version = versionOf(db);
  if (version > SCHEMA_VERSION) throw tooNew(path, version, SCHEMA_VERSION);
  if (version < 1) throw damaged(path, 'it has no tables');
  const verdict = scalar(db, 'PRAGMA quick_check(1)');
  if (verdict !== 'ok') throw damaged(path, String(verdict));
  const sealedWith = scalar(db, `SELECT "value" FROM "settings" WHERE "name" = 'key_id'`);
  if (sealedWith === null) throw damaged(path, 'its settings are missing');
  if (keyId !== null && sealedWith !== keyId) throw wrongKey(path);
}

function guarded<T>(path: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (error instanceof StoreRefused) throw error;
    throw isDamage(error) ? damaged(path, messageOf(error)) : noAccess(path, messageOf(error));
  }
}
