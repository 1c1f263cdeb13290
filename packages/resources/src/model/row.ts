/**
 * How a plain resource lies in the store: a column for each field that rows keep, and what it keeps beside them. The row
 * type, the table and the empty row follow from that.
 */
import type { ErrorNumber } from '@postern/errors';
import type { Field, Fields } from './field.ts';
import { camelName, type CamelName } from './names.ts';
import type { Resource } from './resource.ts';
import type { Flatten, Shown } from './types.ts';

/** `json` is for lists and maps; `secret` is text that is sealed before it gets to the database. */
export type ColumnKind = 'text' | 'integer' | 'boolean' | 'json' | 'secret';
/** By name in rows (camelCase). */
export type Columns = { readonly [name: string]: ColumnKind };

/** What every row has. */
export interface RowHead {
  readonly id: string;
  readonly accountId: string;
  /** RFC 3339 UTC, whole seconds. */
  readonly createdAt: string;
}

type KindValue<K> = K extends 'integer' ? number : K extends 'boolean' ? boolean : string;

type ColumnName<N extends string, F> =
  F extends Field<infer K, infer O>
    ? K extends 'uri' | 'refs' | 'unserved'
      ? never
      : O['computed'] extends true
        ? never
        : O['row'] extends 'none'
          ? never
          : O['view'] extends string
            ? O['view']
            : K extends 'ref' | 'owner'
              ? `${CamelName<N>}Id`
              : CamelName<N>
    : never;
type ColumnValue<F> = F extends Field<infer K, infer O> ? Shown<K, O> : never;

/** A row of a resource with these fields and columns beside them. */
export type RowFor<Fs extends Fields, Cs extends Columns> = Flatten<
  RowHead & { readonly [N in keyof Fs as ColumnName<N & string, Fs[N]>]: ColumnValue<Fs[N]> } & {
    readonly [C in keyof Cs]: KindValue<Cs[C]>;
  }
>;
export type RowOf<R> = R extends PlainResource<infer Fs, infer Cs> ? RowFor<Fs, Cs> : never;

export interface Unique<Name extends string = string> {
  readonly fields: readonly Name[];
  /** Refuses a value that is taken; absent where hooks refuse it before. */
  readonly error?: ErrorNumber;
}

/** A resource whose rows are its own: whatever has no rule of its own derives from this. */
export interface PlainResource<Fs extends Fields = Fields, Cs extends Columns = Columns> extends Resource<Fs> {
  readonly rows: {
    /** Columns that no field shows; hooks fill them. */
    readonly beside: Cs;
    readonly unique?: readonly Unique<keyof RowFor<Fs, Cs> & string>[];
    /** Beside the account and what the fields refer to. */
    readonly indexed?: readonly (readonly (keyof RowFor<Fs, Cs> & string)[])[];
  };
  /** Refuses to delete one that others refer to, unless these go with it. */
  readonly inUse?: ErrorNumber;
}

/** Declares a plain resource; its line in `list.ts` makes everything else of it. */
export function plain<const Fs extends Fields, const Cs extends Columns>(
  definition: PlainResource<Fs, Cs>,
): PlainResource<Fs, Cs> {
  return definition;
}

/** A column that a field fills. */
export interface FieldColumn {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly field: Field;
}

const KINDS: Readonly<Record<Field['kind'], ColumnKind | null>> = {
  text: 'text',
  id: 'text',
  time: 'text',
  ref: 'text',
  owner: 'text',
  integer: 'integer',
  flag: 'boolean',
  texts: 'json',
  labels: 'json',
  object: 'json',
  objects: 'json',
  uri: null,
  refs: null,
  unserved: null,
};

/** In the order of the fields; those of {@link RowHead} are not among them. */
export function fieldColumns(fields: Fields): readonly FieldColumn[] {
  const columns = new Map<string, FieldColumn>();
  for (const [wireName, field] of Object.entries(fields)) {
    const { kind, options } = field;
    const sealed = options.row === 'sealed';
    const column = sealed ? 'secret' : KINDS[kind];
    const name = viewName(wireName, field);
    if (column === null || options.computed === true || options.row === 'none') continue;
    if (name === 'id' || name === 'createdAt') continue;
    // `vault` as answers show it and `vault_id` as bodies give it are one.
    if (!columns.has(name)) columns.set(name, { name, kind: column, field });
  }
  return [...columns.values()];
}

/** What rows and views call a field. */
export function viewName(wireName: string, { kind, options }: Field): string {
  const camel = camelName(wireName);
  return options.view ?? (kind === 'ref' || kind === 'owner' ? `${camel}Id` : camel);
}

/** All columns of its table, by name in rows. */
export function columnsOf({ fields, rows }: PlainResource): Columns {
  return {
    id: 'text',
    accountId: 'text',
    createdAt: 'text',
    ...Object.fromEntries(fieldColumns(fields).map(({ name, kind }) => [name, kind])),
    ...rows.beside,
  };
}

/** What finds rows without reading all of them: lists go by account, newest first; what refers to a row is asked for. */
export function indexesOf({ fields, rows }: PlainResource): readonly (readonly string[])[] {
  const links = fieldColumns(fields).filter(({ field }) => field.options.link !== undefined);
  return [['accountId', 'id'], ...links.map(({ name }) => [name]), ...(rows.indexed ?? [])];
}

export const EMPTY: Readonly<Record<ColumnKind, () => unknown>> = {
  text: () => '',
  secret: () => '',
  integer: () => 0,
  boolean: () => false,
  json: () => [],
};
