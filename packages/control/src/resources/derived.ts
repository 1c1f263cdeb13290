/** Rows, views and refusals of a plain resource, as its definition alone says. */
import { fail } from '@postern/errors';
import {
  camelName,
  eachPlain,
  EMPTY,
  fieldColumns,
  plainAt,
  viewName,
  type Link,
  type PlainName,
  type PlainResource,
} from '@postern/resources';
import { StoreConflict, type Row } from '@postern/store';
import type { Caller } from '../types.ts';

type Values = Readonly<Record<string, unknown>>;
type Entry = readonly [name: string, value: unknown];

/** Rows and inputs are plain objects; the definition that they are typed by says what is read of them. */
export function valuesOf(of: object): Values {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return of as Values;
}

/** @throws what the definition says of a field that is not there, or of a value that it cannot have */
export function checkFields({ fields }: PlainResource, input: object, call: 'create' | 'update'): void {
  const given = valuesOf(input);
  for (const [name, { options }] of Object.entries(fields)) {
    if (options.in !== call && options.in !== 'both') continue;
    const value = given[camelName(name)];
    const missing = value === '' || (value === undefined && call === 'create');
    if (options.needed !== undefined && missing) throw fail(options.needed, { field: name });
    const problem = typeof value === 'string' ? (options.check?.(value) ?? null) : null;
    if (problem !== null) throw fail(problem.error, problem.params);
  }
}

/** The row of a create call. */
export function rowFrom({ fields }: PlainResource, head: Row, input: object): object {
  const given = valuesOf(input);
  const columns = fieldColumns(fields).map(({ name, kind, field }): Entry => {
    const empty = field.kind === 'labels' ? {} : EMPTY[kind]();
    return [name, given[name] ?? field.options.preset ?? empty];
  });
  return { ...head, ...Object.fromEntries(columns) };
}

/** What an update writes: of what it names, that which rows keep. */
export function patchFrom({ fields }: PlainResource, patch: object): object {
  const kept = new Set(fieldColumns(fields).map(({ name }) => name));
  return Object.fromEntries(Object.entries(patch).filter(([name, value]) => kept.has(name) && value !== undefined));
}

/** When and by whom, as far as rows keep it. */
export function stamped({ fields }: PlainResource, caller: Caller, now: string, call: 'create' | 'update'): object {
  const stamps = fieldColumns(fields).flatMap(({ name, field: { options } }): Entry[] => {
    if (options.auto === undefined || (options.auto === 'made-by' && call === 'update')) return [];
    return [[name, options.auto === 'changed-at' ? now : caller.principal.id]];
  });
  return Object.fromEntries(stamps);
}

/** A view of a row that has all that answers show. What they never show stays behind. */
export function viewerOf({ fields }: PlainResource): (row: object) => object {
  const shown = Object.entries(fields)
    .filter(([, { kind, options }]) => options.out !== 'never' && kind !== 'uri' && kind !== 'unserved')
    .map(([name, field]) => viewName(name, field));
  return (row) => {
    const values = valuesOf(row);
    return Object.fromEntries(shown.map((name): Entry => [name, values[name]]));
  };
}

/** Columns that a create call leaves empty for ever, unless a hook fills them. */
export function unfilled({ fields }: PlainResource): readonly string[] {
  const given = new Set(
    Object.entries(fields)
      .filter(([, { options }]) => options.in === 'create' || options.in === 'both')
      .map(([name]) => camelName(name)),
  );
  return fieldColumns(fields)
    .filter(({ name, field }) => !given.has(name) && field.options.auto === undefined)
    .map(({ name }) => name);
}

/** A value that is taken, as the definition refuses it; any other error as it is. */
export function refusalOf({ rows }: PlainResource, error: unknown, row: object): unknown {
  if (!(error instanceof StoreConflict) || error.kind !== 'unique') return error;
  const taken = rows.unique?.find(({ fields }) => fields.join() === error.fields.join());
  if (taken?.error === undefined) return error;
  const values = valuesOf(row);
  return fail(taken.error, Object.fromEntries(taken.fields.map((field) => [field, String(values[field])])));
}

/** A column through which rows of one resource refer to those of another. */
export interface Reference {
  readonly from: PlainName;
  /** Of one that refers, in prose. */
  readonly title: string;
  readonly to: PlainName;
  readonly column: string;
  readonly link: Link;
}

/** To whom rows of this one refer. */
export function referencesFrom({ name, title, fields }: PlainResource, from: PlainName): readonly Reference[] {
  return fieldColumns(fields).flatMap(({ name: column, field: { options } }) => {
    if (options.link === undefined) return [];
    const to = plainAt(options.to ?? '');
    if (to === null) throw new TypeError(`${name}: no plain resource is at ${String(options.to)}`);
    return [{ from, title, to, column, link: options.link }];
  });
}

/** Who may refer to rows of this one. @throws TypeError when it is not said what happens to these when it is deleted */
export function referencesTo({ name, inUse }: PlainResource, to: PlainName): readonly Reference[] {
  const all = Object.values(eachPlain(referencesFrom)).flat();
  const references = all.filter((reference) => reference.to === to);
  if (inUse === undefined && references.some(({ link }) => link.goesWith !== true))
    throw new TypeError(`${name} are referred to, and nothing refuses to delete one that is`);
  const taken = references.filter(({ link }) => link.goesWith === true);
  if (taken.some(({ from }) => all.some((reference) => reference.to === from)))
    throw new TypeError(`rows that go with ${name} are referred to themselves, which nothing follows`);
  return references;
}
