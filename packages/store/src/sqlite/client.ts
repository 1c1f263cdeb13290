/** The main thread's side of the worker: questions with deadlines, answers matched to them, the last known health. */
import { Worker } from 'node:worker_threads';
import { StoreRefused } from '../refused.ts';
import { ChangesForgotten, StoreConflict, StoreOvertaken, StoreUnavailable, type StoreHealth } from '../types.ts';
import { conflictFields } from '../schema/writes.ts';
import type { Answers, Failure, QuestionName, Questions, Report, WorkerInput } from './messages.ts';

/** Checking a large database takes its time. */
const OPEN_DEADLINE_MS = 10 * 60_000;
const DEADLINE_MS: Readonly<Record<QuestionName, number>> = {
  read: 30_000,
  commit: 30_000,
  changes: 30_000,
  revision: 30_000,
  backup: 60 * 60_000,
  close: 60_000,
};
const MOST_PENDING = 10_000;

interface Pending {
  readonly resolve: (value: Answers[QuestionName]) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

export interface ClientOptions {
  readonly onHealth: (health: StoreHealth) => void;
  /** For tests of a worker that misbehaves. */
  readonly workerUrl?: URL;
  /** For all questions alike, in tests. */
  readonly deadlineMs?: number;
}

export class StoreClient {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #options: ClientOptions;
  #health: StoreHealth = { writable: true, lastError: '' };
  /** As the worker last said; differs from `#health` while the worker is silent. */
  #reported: StoreHealth = this.#health;
  #nextId = 1;
  /** Why nothing can be asked any more; '' while it can. */
  #ended = '';

  private constructor(worker: Worker, options: ClientOptions) {
    this.#worker = worker;
    this.#options = options;
  }

  /** @throws StoreRefused, StoreUnavailable */
  static start(input: WorkerInput, options: ClientOptions): Promise<StoreClient> {
    const url = options.workerUrl ?? new URL('./worker.ts', import.meta.url);
    const worker = new Worker(url, { workerData: input, name: 'store' });
    const client = new StoreClient(worker, options);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new StoreUnavailable('the database did not open within ten minutes'));
        void worker.terminate();
      }, OPEN_DEADLINE_MS);
      const settle = (done: () => void): void => {
        clearTimeout(timer);
        done();
      };
      worker.on('message', (report: Report) => {
        if (report.report === 'opened') {
          worker.unref();
          settle(() => resolve(client));
        } else if (report.report === 'not-opened') {
          settle(() => reject(toError(report.failure)));
        } else client.#receive(report);
      });
      worker.on('error', (error) => client.#end(`the database thread failed: ${error.message}`));
      worker.on('exit', () => {
        client.#end('the database is closed');
        settle(() => reject(new StoreUnavailable('the database thread ended before it had opened')));
      });
    });
  }

  get health(): StoreHealth {
    return this.#health;
  }

  /** @throws StoreConflict, StoreOvertaken, StoreUnavailable, StoreRefused, ChangesForgotten */
  ask<Q extends QuestionName>(question: Q, body: Questions[Q]): Promise<Answers[Q]> {
    if (this.#ended !== '') return Promise.reject(new StoreUnavailable(this.#ended));
    if (this.#pending.size >= MOST_PENDING) {
      return Promise.reject(new StoreUnavailable('too many requests wait for the database already'));
    }
    const id = this.#nextId++;
    return new Promise<Answers[Q]>((resolve, reject) => {
      const timer = setTimeout(() => this.#expire(id, question), this.#deadline(question));
      timer.unref();
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the worker answers by the same `Answers`
      const accept = (value: Answers[QuestionName]): void => resolve(value as Answers[Q]);
      if (this.#pending.size === 0) this.#worker.ref();
      this.#pending.set(id, { resolve: accept, reject, timer });
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin
      this.#worker.postMessage({ id, ask: question, body });
    });
  }

  /** Ends the worker after what was asked before. Safe to call twice. */
  async close(): Promise<void> {
    if (this.#ended !== '') return;
    const closed = this.ask('close', null);
    this.#ended = 'the database is closed';
    try {
      await closed;
    } finally {
      await this.#worker.terminate();
    }
  }

  #receive(report: Extract<Report, { report: 'answer' | 'failure' | 'health' }>): void {
    if (report.report === 'health') this.#reported = report.health;
    // Any word of a worker that was silent shows that it works again.
    if (this.#health !== this.#reported) this.#setHealth(this.#reported);
    if (report.report === 'health') return;
    const pending = this.#take(report.id);
    if (pending === undefined) return;
    if (report.report === 'answer') pending.resolve(report.value);
    else pending.reject(toError(report.failure));
  }

  #expire(id: number, question: QuestionName): void {
    const message = `the database did not answer within ${this.#deadline(question) / 1000} s`;
    this.#setHealth({ writable: false, lastError: message });
    this.#take(id)?.reject(new StoreUnavailable(message, question === 'commit' ? 'unknown' : 'no'));
  }

  #end(reason: string): void {
    if (this.#ended === '') {
      this.#ended = reason;
      this.#setHealth({ writable: false, lastError: reason });
    }
    for (const id of this.#pending.keys()) this.#take(id)?.reject(new StoreUnavailable(reason, 'unknown'));
  }

  #deadline(question: QuestionName): number {
    return this.#options.deadlineMs ?? DEADLINE_MS[question];
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    if (pending === undefined) return undefined;
    clearTimeout(pending.timer);
    this.#pending.delete(id);
    // An idle store does not keep the process alive.
    if (this.#pending.size === 0) this.#worker.unref();
    return pending;
  }

  #setHealth(health: StoreHealth): void {
    this.#health = health;
    this.#options.onHealth(health);
  }
}

function toError(failure: Failure): Error {
  if (failure.kind === 'unique') {
    return new StoreConflict('unique', failure.table, conflictFields(failure.table, failure.columns));
  }
  if (failure.kind === 'missing') return new StoreConflict('missing', failure.table, ['id']);
  if (failure.kind === 'overtaken') return new StoreOvertaken(failure.key);
  if (failure.kind === 'unavailable') return new StoreUnavailable(failure.message, failure.applied);
  if (failure.kind === 'forgotten') return new ChangesForgotten(failure.asked, failure.oldest);
  if (failure.kind === 'refused') return new StoreRefused(failure.reason, failure.message);
  return new Error(`the database refused a statement: ${failure.message}`);
}
