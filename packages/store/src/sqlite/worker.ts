/** The thread that owns the database. Everything here may block on the disk; nothing else in the process does. */
import { flushCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { StoreRefused } from '../refused.ts';
import { isTableName } from '../schema/tables.ts';
import type { Change } from '../types.ts';
import { copyDatabase } from './copy.ts';
import { isDamage, messageOf, rowsOf, StatementCache, type Database } from './driver.ts';
import { openFile } from './file.ts';
import { lockDirectory, type DirectoryLock } from './lock.ts';
import type { Answers, Failure, QuestionName, Report, Request, WorkerInput } from './messages.ts';
import { GroupWriter } from './writer.ts';

/** More would make the first of a group wait for too many others. */
const GROUP_LIMIT = 512;
const FIRST_PROBE_MS = 100;
const LAST_PROBE_MS = 5000;

class StoreWorker {
  readonly #post: (report: Report) => void;
  readonly #db: Database;
  readonly #lock: DirectoryLock;
  readonly #paths: WorkerInput['paths'];
  readonly #statements: StatementCache;
  readonly #writer: GroupWriter;
  readonly #backups = new Set<Promise<void>>();
  #waiting: Extract<Request, { ask: 'commit' }>[] = [];
  #flushDue = false;
  #writable = true;
  #probeMs = FIRST_PROBE_MS;
  #probe: NodeJS.Timeout | null = null;

  constructor(input: WorkerInput, lock: DirectoryLock, db: Database, post: (report: Report) => void) {
    this.#post = post;
    this.#lock = lock;
    this.#db = db;
    this.#paths = input.paths;
    this.#statements = new StatementCache(db);
    const faults = input.faults === null ? null : new Int32Array(input.faults);
    this.#writer = new GroupWriter(db, this.#statements, faults, input.keepChanges);
  }

  handle(request: Request): void {
    if (request.ask === 'commit') {
      this.#waiting.push(request);
      if (!this.#flushDue) {
        this.#flushDue = true;
        // After the messages that lie waiting, so that they join the group.
        setImmediate(() => this.#flush());
      }
      return;
    }
    try {
      switch (request.ask) {
        case 'read': {
          const { sql, values } = request.body.statement;
          this.#answer(request.id, rowsOf(this.#statements.prepare(sql), values));
          break;
        }
        case 'changes':
          this.#changes(request);
          break;
        case 'revision':
          this.#answer(request.id, this.#writer.revision);
          break;
        case 'backup':
          this.#backup(request.id, request.body.target);
          break;
        case 'close':
          void this.#close(request.id);
          break;
      }
    } catch (error) {
      this.#fail(request.id, failureOf(error));
    }
  }

  #flush(): void {
    const group = this.#waiting.splice(0, GROUP_LIMIT);
    this.#flushDue = this.#waiting.length > 0;
    if (this.#flushDue) setImmediate(() => this.#flush());
    if (group.length === 0) return;
    const outcomes = this.#writer.apply(group.map(({ body }) => body));
    const broken = outcomes.find((outcome) => !outcome.applied && outcome.failure.kind === 'unavailable');
    // Told before the answers, so that whoever gets one finds the health that goes with it.
    if (broken === undefined) this.#recovered();
    else if (!broken.applied && broken.failure.kind === 'unavailable') this.#broke(broken.failure.message);
    for (const [index, { id }] of group.entries()) {
      const outcome = outcomes[index];
      if (outcome?.applied === true) this.#answer(id, outcome.committed);
      else if (outcome !== undefined) this.#fail(id, outcome.failure);
    }
  }

  #changes(request: Extract<Request, { ask: 'changes' }>): void {
    const { id } = request;
    const { after, limit } = request.body;
    if (after < this.#writer.forgotten) {
      this.#fail(id, { kind: 'forgotten', asked: after, oldest: this.#writer.forgotten });
      return;
    }
    const sql =
      'SELECT "revision", "table_name", "row_id", "op" FROM "changes" WHERE "revision" > ? ORDER BY 1 LIMIT ?';
    const rows = rowsOf(this.#statements.prepare(sql), [after, limit]);
    const changes = rows.map(([revision, table, rowId, op]): Change => {
      const name = String(table);
      if (!isTableName(name)) throw new Error(`the change log names an unknown table "${name}"`);
      return { revision: Number(revision), table: name, id: String(rowId), op: opOf(op) };
    });
    this.#answer(id, changes);
  }

  #backup(id: number, target: string): void {
    const running = copyDatabase(this.#paths.database, target).then(
      () => this.#answer(id, null),
      (error: unknown) => this.#fail(id, failureOf(error)),
    );
    this.#backups.add(running);
    void running.finally(() => this.#backups.delete(running));
  }

  async #close(id: number): Promise<void> {
    while (this.#waiting.length > 0) this.#flush();
    await Promise.all(this.#backups);
    if (this.#probe !== null) clearTimeout(this.#probe);
    // The last connection moves the log into the file and removes it.
    this.#db.close();
    this.#lock.release();
    this.#answer(id, null);
    parentPort?.close();
  }

  #broke(message: string): void {
    if (this.#writable) this.#probeMs = FIRST_PROBE_MS;
    this.#writable = false;
    this.#post({ report: 'health', health: { writable: false, lastError: message } });
    this.#probe ??= setTimeout(() => this.#tryAgain(), this.#probeMs);
  }

  #tryAgain(): void {
    this.#probe = null;
    try {
      this.#writer.probe();
      this.#recovered();
    } catch (error) {
      this.#probeMs = Math.min(2 * this.#probeMs, LAST_PROBE_MS);
      this.#broke(messageOf(error));
    }
  }

  #recovered(): void {
    if (this.#probe !== null) clearTimeout(this.#probe);
    this.#probe = null;
    if (this.#writable) return;
    this.#writable = true;
    this.#post({ report: 'health', health: { writable: true, lastError: '' } });
  }

  #answer(id: number, value: Answers[QuestionName]): void {
    this.#post({ report: 'answer', id, value });
  }

  #fail(id: number, failure: Failure): void {
    this.#post({ report: 'failure', id, failure });
  }
}

function opOf(value: unknown): Change['op'] {
  return value === 'insert' || value === 'update' ? value : 'delete';
}

function failureOf(error: unknown): Failure {
  if (error instanceof StoreRefused) return { kind: 'refused', reason: error.reason, message: error.message };
  const hint = isDamage(error) ? '; stop the server and bring back a backup with: postern restore <backup file>' : '';
  return { kind: 'unavailable', message: messageOf(error) + hint, applied: 'no' };
}

function start(): void {
  const port = parentPort;
  if (port === null) throw new Error('this file is a worker of the store');
  const input: WorkerInput = workerData;
  const post = (report: Report): void => port.postMessage(report);
  let lock: DirectoryLock | null = null;
  try {
    lock = lockDirectory(input.paths);
    const db = openFile(input.paths.database, input.encryptionKey, input.firstAccount);
    if (input.maxPages !== null) db.exec(`PRAGMA max_page_count = ${input.maxPages}`);
    const worker = new StoreWorker(input, lock, db, post);
    port.on('message', (request: Request) => worker.handle(request));
    post({ report: 'opened' });
    // A process that is killed would leave nothing for the next start, which then strips types again.
    setImmediate(flushCompileCache);
  } catch (error) {
    lock?.release();
    post({ report: 'not-opened', failure: failureOf(error) });
    port.close();
  }
}

start();
