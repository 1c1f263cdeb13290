/** What a migration may do. Each step is plain data; an engine compiles it to its own SQL. */
import type { ColumnKind, TableShape } from '../schema/column.ts';

export type Step =
  | { readonly do: 'create-table'; readonly table: TableShape }
  /** A further column of a table; `value` is what the rows that are there already get (sealed in a secret one). */
  | {
      readonly do: 'add-column';
      /** As the database calls it. */
      readonly table: string;
      readonly column: { readonly name: string; readonly kind: ColumnKind; readonly value: string | number };
    }
  /** One row of `changes` per change, numbered from 1 without gaps. */
  | { readonly do: 'create-change-log' }
  /** Names and values about the installation itself. */
  | { readonly do: 'create-settings' }
  /** The first account of the installation, with the ids that whoever opens the store gives. */
  | { readonly do: 'first-account' }
  /** Seals a text of every row that lay open until now; the column becomes one of kind `secret`. */
  | { readonly do: 'seal'; readonly table: string; readonly column: string };

export interface Migration {
  /** 1, 2, 3, …: the database's version after it. */
  readonly version: number;
  /** What it is for, for logs. */
  readonly name: string;
  readonly steps: readonly Step[];
}
