import type { ErrorNumber } from '@postern/errors';
import type { Fields } from './field.ts';
import type { InputOf, ViewOf } from './types.ts';

export type Verb = 'list' | 'get' | 'create' | 'update' | 'delete';

/** Something that can be asked of one resource beyond the verbs: `POST {path}/{id}/{name}`. */
export interface Action {
  readonly name: string;
  readonly doc: string;
  /** It answers the resource; absent = 204. */
  readonly answers?: true;
}

/** Filters compare the fields of answers; a resource may have names and values that mean others. */
export interface FilterExtras {
  /** Names that mean another field, e.g. binding → bindings. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** Literals that mean another one for a field, e.g. type "agent" → "ephemeral". */
  readonly synonyms?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface Resource<Fs extends Fields = Fields> {
  /** Plural and snake_case, as the path says it. */
  readonly name: string;
  /** Of one, in prose: "reserved domain". */
  readonly title: string;
  readonly doc: string;
  /** e.g. `/edges/https/{edge_id}/routes`. */
  readonly path: string;
  /** Member of a list's answer that holds the rows; null = there is no list. */
  readonly listKey: string | null;
  /** What ids may begin with; new ones begin with the first. */
  readonly idPrefixes: readonly [string, ...string[]];
  /** Prefixes of further path parameters, by name. */
  readonly params?: Readonly<Record<string, readonly string[]>>;
  readonly verbs: readonly Verb[];
  readonly actions?: readonly Action[];
  /** null = lists have no `filter` (the deprecated ones). */
  readonly filter: FilterExtras | null;
  /** Repeatable parameters of the list: name → spellings on the wire. */
  readonly lists?: Readonly<Record<string, readonly string[]>>;
  readonly deprecated?: true;
  /** What refuses an update that names nothing; absent = such an update changes nothing. */
  readonly emptyUpdate?: ErrorNumber;
  readonly fields: Fs;
}

/** Declares a resource; the one place where it is spelled out. */
export function resource<const Fs extends Fields>(definition: Resource<Fs>): Resource<Fs> {
  return definition;
}

export type CreateOf<R> = R extends Resource<infer Fs> ? InputOf<Fs, 'create'> : never;
export type UpdateOf<R> = R extends Resource<infer Fs> ? InputOf<Fs, 'update'> : never;
export type ViewOfResource<R> = R extends Resource<infer Fs> ? ViewOf<Fs> : never;
