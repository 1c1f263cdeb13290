import type { Field, Fields, Kind } from '../model/field.ts';
import type { Resource } from '../model/resource.ts';

/** What a filter can ask of a field. `ref` is an {id, uri}; comparing it compares its id. */
export type FilterKind = 'string' | 'id' | 'number' | 'bool' | 'time' | 'list' | 'ref';

/** The fields of one resource that filters may use, by wire name. */
export interface FilterFields {
  readonly kinds: Readonly<Record<string, FilterKind>>;
  readonly synonyms?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly aliases?: Readonly<Record<string, string>>;
}

const KINDS: Readonly<Partial<Record<Kind, FilterKind>>> = {
  text: 'string',
  id: 'id',
  time: 'time',
  integer: 'number',
  flag: 'bool',
  texts: 'list',
  ref: 'ref',
  owner: 'ref',
  uri: 'string',
  // Shown as null, and asked for as that.
  unserved: 'ref',
};

/** What can be read can be filtered by, where it has a value that compares; null = the resource has no filter. */
export function filterFieldsOf({ filter, fields }: Resource): FilterFields | null {
  if (filter === null) return null;
  return { kinds: kindsOf(fields), ...filter };
}

function kindsOf(fields: Fields): Record<string, FilterKind> {
  const kinds: Record<string, FilterKind> = {};
  for (const [name, field] of Object.entries(fields)) {
    // Of a group that may be null it can be asked whether it is there.
    const optional = field.kind === 'object' && field.options.out === 'null';
    const kind = optional ? 'ref' : KINDS[field.kind];
    if (kind !== undefined && comparable(field)) kinds[name] = kind;
  }
  return kinds;
}

function comparable({ options }: Field): boolean {
  return options.filter !== false && options.out !== 'never';
}
