/**
 * Group commit: what arrives while the disk is busy goes into the next transaction together, so that many callers
 * share one fsync. Each commit has its own savepoint; one that conflicts, or whose guards do not hold, leaves the others
 * alone.
 */
import type { WriteStatement } from '../schema/writes.ts';
import type { Change, Committed } from '../types.ts';
import {
  messageOf,
  primaryCode,
  scalar,
  SQLITE,
  sqliteCode,
  SQLITE_IOERR_FSYNC,
  SQLITE_PRIMARY_KEY,
  SQLITE_UNIQUE,
  type Database,
  type StatementCache,
} from './driver.ts';
import { faultPoint } from './faults.ts';
import { GuardBook } from './guards.ts';
import type { CommitRequest, Failure } from './messages.ts';

export type Outcome =
  | { readonly applied: true; readonly committed: Committed }
  | { readonly applied: false; readonly failure: Failure };

/** Errors that a statement brings on itself; any other is the disk's or the database's. */
const OWN_FAULT: ReadonlySet<number | null> = new Set([
  SQLITE.error,
  SQLITE.constraint,
  SQLITE.mismatch,
  SQLITE.tooBig,
  SQLITE.range,
]);
/** Larger than any page, so that a probe needs room as real rows do. */
const PROBE = 'x'.repeat(16_384);
const SET_PROBE = `INSERT OR REPLACE INTO "settings" VALUES ('probe', ?)`;
/** The log is cut in strides, not with every commit. */
const CUT_STRIDE = 1000;

export class GroupWriter {
  readonly #db: Database;
  readonly #statements: StatementCache;
  readonly #faults: Int32Array | null;
  readonly #keepChanges: number;
  readonly #guards: GuardBook;
  #newest: number;
  /** Changes up to this one are forgotten. */
  #forgotten: number;

  constructor(db: Database, statements: StatementCache, faults: Int32Array | null, keepChanges: number) {
    this.#db = db;
    this.#statements = statements;
    this.#faults = faults;
    this.#keepChanges = keepChanges;
    this.#newest = Number(scalar(db, 'SELECT coalesce(max("revision"), 0) FROM "changes"'));
    this.#forgotten = Number(scalar(db, 'SELECT coalesce(min("revision"), 1) - 1 FROM "changes"'));
    this.#guards = new GuardBook(this.#newest);
  }

  get revision(): number {
    return this.#newest;
  }

  get forgotten(): number {
    return this.#forgotten;
  }

  /** One outcome for each commit, in order. When it returns, all that is `applied` is on disk. */
  apply(commits: readonly CommitRequest[]): Outcome[] {
    const before = this.#newest;
    const forgotten = this.#forgotten;
    try {
      return this.#transaction(() => {
        faultPoint(this.#faults, 'write');
        const outcomes = commits.map((commit) => this.#applyOne(commit));
        this.#cutLog();
        return outcomes;
      });
    } catch (error) {
      this.#newest = before;
      this.#forgotten = forgotten;
      this.#guards.forget(before);
      const applied = sqliteCode(error) !== SQLITE_IOERR_FSYNC || this.#overwriteRefused() ? 'no' : 'unknown';
      const failure = { kind: 'unavailable', message: messageOf(error), applied } as const;
      return commits.map(() => ({ applied: false, failure }));
    }
  }

  /** Writes and removes something of some size. @throws while the disk does not let it */
  probe(): void {
    const set = this.#statements.prepare(SET_PROBE);
    const unset = this.#statements.prepare(`DELETE FROM "settings" WHERE "name" = 'probe'`);
    for (const run of [() => set.run(PROBE), () => unset.run()]) {
      this.#transaction(() => {
        faultPoint(this.#faults, 'write');
        run();
      });
    }
  }

  /**
   * When a sync fails, the refused rows lie in the write-ahead log already, complete but for the promise: after a crash
   * they would be taken for committed. SQLite writes its next transaction over them, so one is made at once.
   * @returns whether they are overwritten
   */
  #overwriteRefused(): boolean {
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      this.#statements.prepare(SET_PROBE).run(PROBE);
      this.#db.exec('COMMIT');
      return true;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      return sqliteCode(error) === SQLITE_IOERR_FSYNC;
    }
  }

  #transaction<T>(body: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = body();
      faultPoint(this.#faults, 'fsync');
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      // After most errors of the disk SQLite has rolled back by itself.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  #applyOne({ writes, guards }: CommitRequest): Outcome {
    const before = this.#newest;
    const broken = guards === null ? null : this.#guards.broken(guards, before);
    if (broken !== null) return { applied: false, failure: { kind: 'overtaken', key: broken } };
    this.#statements.prepare('SAVEPOINT one').run();
    let failure: Failure | null = null;
    for (const write of writes) {
      failure = this.#run(write);
      if (failure !== null) break;
    }
    if (failure !== null) {
      this.#newest = before;
      this.#statements.prepare('ROLLBACK TO one').run();
    }
    this.#statements.prepare('RELEASE one').run();
    if (failure !== null) return { applied: false, failure };
    if (this.#newest > before) this.#guards.note(guards, writes, this.#newest);
    return { applied: true, committed: { revision: this.#newest, follows: before } };
  }

  #run(write: WriteStatement): Failure | null {
    try {
      const { changes } = this.#statements.prepare(write.sql).run(...write.values);
      if (Number(changes) === 0) return write.op === 'update' ? { kind: 'missing', table: write.table } : null;
    } catch (error) {
      if (!OWN_FAULT.has(primaryCode(error)) || !this.#db.isTransaction) throw error;
      const code = sqliteCode(error);
      const message = messageOf(error);
      if (code !== SQLITE_UNIQUE && code !== SQLITE_PRIMARY_KEY) return { kind: 'invalid', message };
      return { kind: 'unique', table: write.table, columns: message.slice(message.indexOf(': ') + 2) };
    }
    this.#log({ revision: this.#newest + 1, table: write.table, id: write.rowId, op: write.op });
    this.#newest += 1;
    return null;
  }

  #log(change: Change): void {
    this.#statements
      .prepare('INSERT INTO "changes" VALUES (?, ?, ?, ?)')
      .run(change.revision, change.table, change.id, change.op);
  }

  #cutLog(): void {
    const surplus = this.#newest - this.#forgotten - this.#keepChanges;
    if (surplus < Math.min(CUT_STRIDE, this.#keepChanges)) return;
    this.#forgotten += surplus;
    this.#statements.prepare('DELETE FROM "changes" WHERE "revision" <= ?').run(this.#forgotten);
  }
}
