/** What the store and its worker say to each other. Plain data. */
import type { StorePaths } from '../paths.ts';
import type { RefusalReason } from '../refused.ts';
import type { SqlValue } from '../schema/rows.ts';
import type { Statement } from '../schema/statements.ts';
import type { WriteStatement } from '../schema/writes.ts';
import type { AccountRow, Change, Committed, Guards, StoreHealth, TableName } from '../types.ts';

/** Handed to the worker at its start. */
export interface WorkerInput {
  readonly paths: StorePaths;
  /** 32 bytes; for migrations that seal what lay open. */
  readonly encryptionKey: Uint8Array;
  readonly firstAccount: AccountRow;
  readonly keepChanges: number;
  readonly maxPages: number | null;
  readonly faults: SharedArrayBuffer | null;
}

export interface CommitRequest {
  readonly writes: readonly WriteStatement[];
  readonly guards: Guards | null;
}

export interface Questions {
  readonly read: { readonly statement: Statement };
  readonly commit: CommitRequest;
  readonly changes: { readonly after: number; readonly limit: number };
  readonly revision: null;
  readonly backup: { readonly target: string };
  readonly close: null;
}

export interface Answers {
  /** Values of each row, in the order of the columns asked for. */
  readonly read: SqlValue[][];
  readonly commit: Committed;
  readonly changes: Change[];
  readonly revision: number;
  readonly backup: null;
  readonly close: null;
}

export type QuestionName = keyof Questions;
export type Request = {
  readonly [Q in QuestionName]: { readonly id: number; readonly ask: Q; readonly body: Questions[Q] };
}[QuestionName];

export type Failure =
  /** `columns`: as SQLite names them, `table.column, table.column`. */
  | { readonly kind: 'unique'; readonly table: TableName; readonly columns: string }
  | { readonly kind: 'missing'; readonly table: TableName }
  | { readonly kind: 'overtaken'; readonly key: string }
  | { readonly kind: 'unavailable'; readonly message: string; readonly applied: 'no' | 'unknown' }
  | { readonly kind: 'forgotten'; readonly asked: number; readonly oldest: number }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly message: string }
  /** A statement that can never work. */
  | { readonly kind: 'invalid'; readonly message: string };

export type Report =
  | { readonly report: 'opened' }
  | { readonly report: 'not-opened'; readonly failure: Failure }
  | { readonly report: 'health'; readonly health: StoreHealth }
  | { readonly report: 'answer'; readonly id: number; readonly value: Answers[QuestionName] }
  | { readonly report: 'failure'; readonly id: number; readonly failure: Failure };
