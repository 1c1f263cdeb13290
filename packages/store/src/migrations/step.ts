/** What a migration may do. Each step is plain data; an engine compiles it to its own SQL. */
import type { ColumnKind } from '@postern/resources';
import { tableShape, type TableShape } from '../schema/column.ts';

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

/** A table of rows that belong to accounts and are listed by them, newest first. Released ones rest on it as it is. */
export function tableOfRows(
  name: string,
  columns: Readonly<Record<string, ColumnKind>>,
  keys: { readonly unique?: readonly (readonly string[])[]; readonly indexed?: readonly (readonly string[])[] } = {},
): Step {
  const head = { id: 'text', accountId: 'text', createdAt: 'text' } as const;
  const indexed = [['accountId', 'id'], ...(keys.indexed ?? [])];
  return { do: 'create-table', table: tableShape(name, { ...head, ...columns }, { ...keys, indexed }) };
}

export interface Migration {
  /** 1, 2, 3, …: the database's version after it. */
  readonly version: number;
  /** What it is for, for logs. */
  readonly name: string;
  readonly steps: readonly Step[];
}
