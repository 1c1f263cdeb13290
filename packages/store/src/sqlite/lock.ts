/**
 * One process per data directory. The lock is an open write transaction on a tiny database of its own: the operating
 * system drops it with the process, however that ends, and no number of a dead process can be mistaken for a live one.
 * Its table holds the pid, which others can read for their message.
 */
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import type { StorePaths } from '../paths.ts';
import { inUse, noAccess } from '../refused.ts';
import { isDamage, messageOf, openDatabase, primaryCode, scalar, SQLITE, type Database } from './driver.ts';

export interface DirectoryLock {
  release(): void;
}

/** Makes the directory if need be. @throws StoreRefused `in_use`, `no_access` */
export function lockDirectory(paths: StorePaths): DirectoryLock {
  try {
    mkdirSync(paths.directory, { recursive: true, mode: 0o700 });
    return take(paths);
  } catch (error) {
    if (!isDamage(error)) throw asRefusal(paths, error);
  }
  // A power cut can leave the file unreadable. Nobody holds such a one.
  rmSync(paths.lock, { force: true });
  rmSync(`${paths.lock}-journal`, { force: true });
  try {
    return take(paths);
  } catch (error) {
    throw asRefusal(paths, error);
  }
}

function take(paths: StorePaths): DirectoryLock {
  // As private as everything in the directory.
  closeSync(openSync(paths.lock, 'a', 0o600));
  const db = openDatabase(paths.lock, { busyMs: 0 });
  try {
    db.exec('PRAGMA synchronous = OFF');
    db.exec('BEGIN IMMEDIATE');
    db.exec('CREATE TABLE IF NOT EXISTS "holder" ("pid" INTEGER NOT NULL)');
    db.exec('DELETE FROM "holder"');
    db.prepare('INSERT INTO "holder" VALUES (?)').run(process.pid);
    db.exec('COMMIT');
    db.exec('BEGIN IMMEDIATE');
  } catch (error) {
    db.close();
    throw error;
  }
  return { release: () => db.close() };
}

function asRefusal(paths: StorePaths, error: unknown): Error {
  if (primaryCode(error) === SQLITE.busy) return inUse(paths.directory, holderOf(paths));
  return noAccess(paths.lock, messageOf(error));
}

function holderOf(paths: StorePaths): number | null {
  let db: Database | null = null;
  try {
    db = openDatabase(paths.lock, { readOnly: true, busyMs: 0 });
    const pid = scalar(db, 'SELECT "pid" FROM "holder"');
    return typeof pid === 'number' ? pid : null;
  } catch {
    return null;
  } finally {
    db?.close();
  }
}
