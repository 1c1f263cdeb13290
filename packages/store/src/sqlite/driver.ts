/** The only place that knows node:sqlite, whose class gets another name in later Nodes (DEP0210). */
import { backup, DatabaseSync, type StatementSync } from 'node:sqlite';
import type { SqlValue } from '../schema/rows.ts';

export type Database = DatabaseSync;

/** Primary result codes (https://sqlite.org/rescode.html). */
export const SQLITE = {
  error: 1,
  busy: 5,
  corrupt: 11,
  full: 13,
  constraint: 19,
  mismatch: 20,
  tooBig: 18,
  range: 25,
  notADatabase: 26,
} as const;
/** Extended codes. */
export const SQLITE_UNIQUE = 2067;
export const SQLITE_PRIMARY_KEY = 1555;
export const SQLITE_IOERR_WRITE = 778;
export const SQLITE_IOERR_FSYNC = 1034;

/** `busyMs`: how long to wait for another process's lock. */
export function openDatabase(
  path: string,
  options: { readonly readOnly?: boolean; readonly busyMs: number },
): Database {
  return new DatabaseSync(path, { readOnly: options.readOnly ?? false, timeout: options.busyMs });
}

/** Copies all pages as one snapshot, off this thread; writers go on meanwhile. */
export async function copyPages(source: Database, target: string): Promise<void> {
  await backup(source, target, { rate: 2 ** 31 - 1 });
}

/** The one value of the one row that `sql` gives. */
export function scalar(db: Database, sql: string): SqlValue {
  const statement = db.prepare(sql);
  const row = statement.get();
  return toSqlValue(row === undefined ? null : Object.values(row)[0]);
}

export function rowsOf(statement: StatementSync, values: readonly SqlValue[]): SqlValue[][] {
  return statement.all(...values).map((row) => Object.values(row).map(toSqlValue));
}

function toSqlValue(value: unknown): SqlValue {
  return typeof value === 'string' || typeof value === 'number' ? value : null;
}

/** Prepared statements by their text, the least recently used dropped. */
export class StatementCache {
  readonly #db: Database;
  readonly #statements = new Map<string, StatementSync>();
  readonly #limit = 256;

  constructor(db: Database) {
    this.#db = db;
  }

  prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    this.#statements.delete(sql);
    statement ??= this.#db.prepare(sql);
    this.#statements.set(sql, statement);
    if (this.#statements.size > this.#limit) {
      for (const oldest of this.#statements.keys()) {
        this.#statements.delete(oldest);
        break;
      }
    }
    return statement;
  }
}

/** Extended result code of an error of SQLite, or null. */
export function sqliteCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return null;
  return error.errcode;
}

export function primaryCode(error: unknown): number | null {
  const code = sqliteCode(error);
  return code === null ? null : code & 0xff;
}

export function isDamage(error: unknown): boolean {
  const code = primaryCode(error);
  return code === SQLITE.corrupt || code === SQLITE.notADatabase;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
