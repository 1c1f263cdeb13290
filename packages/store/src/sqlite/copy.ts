import { closeSync, existsSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { damaged, noAccess, StoreRefused, targetExists } from '../refused.ts';
import { copyPages, messageOf, openDatabase, scalar } from './driver.ts';
import { openReadOnly, syncPath } from './file.ts';

/**
 * Copies a database that may be in use, by this process or another, into one new file that needs no companions. The
 * copy is checked before it gets its name.
 * @throws StoreRefused
 */
export async function copyDatabase(from: string, to: string): Promise<void> {
  const target = resolve(to);
  if (existsSync(target)) throw targetExists(target);
  const partial = `${target}.partial`;
  removeDatabase(partial);
  try {
    const source = openReadOnly(from, null);
    try {
      // Private from the first byte on: SQLite gives its companions the mode of the file.
      closeSync(openSync(partial, 'wx', 0o600));
      await copyPages(source, partial);
    } finally {
      source.close();
    }
    finish(partial);
    renameSync(partial, target);
    syncPath(dirname(target));
  } catch (error) {
    removeDatabase(partial);
    throw error instanceof StoreRefused ? error : noAccess(target, messageOf(error));
  }
}

/** The file and whatever SQLite keeps beside it. */
export function removeDatabase(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true });
}

function finish(path: string): void {
  const copy = openDatabase(path, { busyMs: 0 });
  try {
    copy.exec('PRAGMA journal_mode = DELETE');
    const verdict = scalar(copy, 'PRAGMA quick_check(1)');
    if (verdict !== 'ok') throw damaged(path, String(verdict));
  } finally {
    copy.close();
  }
  syncPath(path);
}
