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

/** What is wrong with a value: the number of the error, and what fills its message. */
export interface Problem {
  readonly error: ErrorNumber;
  readonly params: Readonly<Record<string, string | number>>;
}

/** A row refers to one of another plain resource, which exists as long as it does. */
export interface Link {
  /** Refuses an id that names nothing of the account. */
  readonly unknown: ErrorNumber;
  /** It goes with the one that it refers to; absent = that one is not deleted while this is there. */
  readonly goesWith?: true;
  /** `{to}/{id}/{listed}` lists those that refer to one. */
  readonly listed?: string;
}

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
  /** A create call has to give a value, and no call an empty one; the number of the error that says so. */
  readonly needed?: ErrorNumber;
  /** What else is wrong with a value that was given; null = nothing. Pure, so that forms can ask before they send. */
  readonly check?: (value: string) => Problem | null;
  /** Most UTF-8 bytes, and the number of the error that says so. */
  readonly most?: { readonly bytes: number; readonly error: ErrorNumber };
  /** ref, refs: path of the collection that it leads to. objects: of the rows. */
  readonly to?: string;
  /** ref of a plain resource to another: what holds between the two. */
  readonly link?: Link;
  /** What rows of a plain resource keep of it, where that is not its value. */
  readonly row?: 'none' | 'sealed';
  /** The server fills it: when, or by whom, the row was made or changed last. */
  readonly auto?: 'made-by' | 'changed-at' | 'changed-by';
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
