/**
 * The fields that resources are made of. A field says once what it is called on the wire, which bodies take it, how an
 * answer shows it and what it may hold; bodies, answers, filters, documents and types are derived from that. No Node
 * imports: forms in a browser use the same definitions.
 */
import type { ErrorNumber } from '@postern/errors';

/**
 * - `text`: a string; `id`: a string that names a resource; `time`: RFC 3339, UTC, whole seconds
 * - `texts`: a list of strings; `labels`: an object of strings
 * - `ref`: `{id, uri}` of another resource; `refs`: a list of those; `owner`: the same of a user
 * - `uri`: the absolute address of the resource itself
 * - `object`: a group of fields of its own; `objects`: a list of rows of another definition
 * - `unserved`: a published field whose meaning this server does not have
 */
export type Kind =
  | 'text'
  | 'id'
  | 'time'
  | 'integer'
  | 'flag'
  | 'texts'
  | 'labels'
  | 'ref'
  | 'refs'
  | 'owner'
  | 'uri'
  | 'object'
  | 'objects'
  | 'unserved';

export interface FieldOptions {
  /** Which bodies take the field; absent = none. */
  readonly in?: 'create' | 'update' | 'both';
  /** A body that may have it must have it. */
  readonly required?: true;
  /** flag: what it is when a body of a group leaves it out. */
  readonly preset?: boolean;
  /**
   * How answers show it: `kept` always (the default), `left-out` when it is empty, `null` when it is empty, `never`.
   */
  readonly out?: 'kept' | 'left-out' | 'null' | 'never';
  /** Name in the rules' views, where that is not the camelCase of the wire name (refs: with `Id` behind it). */
  readonly view?: string;
  /** The surface computes it from the whole view; it stands in no view by itself. */
  readonly computed?: true;
  /** false = lists cannot be filtered by it. */
  readonly filter?: false;
  /** Most UTF-8 bytes, and the number of the error that says so. */
  readonly most?: { readonly bytes: number; readonly error: ErrorNumber };
  /** ref, refs: path of the collection that it leads to. objects: of the rows. */
  readonly to?: string;
  /** object: its fields. objects: those of a row. */
  readonly of?: Fields;
  /** unserved: why a value is refused; absent on modules of edges, which are refused by their name. */
  readonly because?: string;
}

export interface Field<K extends Kind = Kind, O extends FieldOptions = FieldOptions> {
  readonly kind: K;
  /** One sentence for people. */
  readonly doc: string;
  readonly options: O;
}

/** By wire name, in the order of answers. */
export type Fields = { readonly [wireName: string]: Field };

function maker<K extends Kind>(kind: K) {
  return <const O extends FieldOptions = FieldOptions>(doc: string, options?: O): Field<K, O> => ({
    kind,
    doc,
    // Where none are given, the type says that any might be, and none of them is.
    // oxlint-disable-next-line no-unsafe-type-assertion
    options: options ?? ({} as O),
  });
}

export const text = maker('text');
export const id = maker('id');
export const time = maker('time');
export const integer = maker('integer');
export const flag = maker('flag');
export const texts = maker('texts');
export const labels = maker('labels');
export const ref = maker('ref');
export const refs = maker('refs');
export const owner = maker('owner');
export const uri = maker('uri');
export const object = maker('object');
export const objects = maker('objects');
export const unserved = maker('unserved');
