/**
 * How rows lie in a database, said without a dialect: SQLite compiles it today, PostgreSQL will. Fields are camelCase
 * in rows and snake_case in columns.
 */
import type { ColumnKind } from '@postern/resources';

export interface Column {
  readonly field: string;
  readonly name: string;
  /** `json` is kept as JSON.stringify writes it; `secret` cannot be searched for. */
  readonly kind: ColumnKind;
}

/** Fields of a row, in the order of the index. */
export interface Index {
  readonly fields: readonly string[];
  readonly unique: boolean;
}

export interface TableShape {
  /** As the database calls it. */
  readonly name: string;
  /** `id` first; it is the primary key. */
  readonly columns: readonly Column[];
  readonly indexes: readonly Index[];
}

/** The kinds that hold a field of this type. */
export type KindOf<V> = [V] extends [boolean]
  ? 'boolean'
  : [V] extends [number]
    ? 'integer'
    : [V] extends [string]
      ? 'text' | 'secret'
      : 'json';

export type FieldKinds<R> = { readonly [F in keyof R & string]: KindOf<R[F]> };

interface Keys<F> {
  readonly unique?: readonly (readonly F[])[];
  readonly indexed?: readonly (readonly F[])[];
}

/** A table that holds rows of type R: every field named, with the kind that its type needs. */
export function tableOf<R>(name: string, fields: FieldKinds<R>, keys: Keys<keyof R & string>): TableShape {
  return tableShape(name, fields, keys);
}

/** A table by its own words; migrations use it, which must not change when rows do. */
export function tableShape(
  name: string,
  fields: Readonly<Record<string, ColumnKind>>,
  keys: Keys<string> = {},
): TableShape {
  return {
    name,
    columns: Object.entries(fields).map(([field, kind]) => ({ field, name: columnName(field), kind })),
    indexes: [
      ...(keys.unique ?? []).map((list) => ({ fields: list, unique: true })),
      ...(keys.indexed ?? []).map((list) => ({ fields: list, unique: false })),
    ],
  };
}

/** `createdAt` → `created_at`. */
export function columnName(field: string): string {
  return field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
