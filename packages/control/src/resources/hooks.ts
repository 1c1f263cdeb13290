/** What a plain resource may have of its own, beside its definition. */
import type { PosternError } from '@postern/errors';
import type { Fields, InputOf, PLAIN, PlainName, PlainResource, RowFor, ViewOf } from '@postern/resources';
import type { Row, Write } from '@postern/store';
import type { ALONE, KeysOf } from '../change/change.ts';
import type { Core } from '../core.ts';
import type { Rows } from './paging.ts';

export type Create<Fs extends Fields> = InputOf<Fs, 'create'>;
export type Update<Fs extends Fields> = InputOf<Fs, 'update'>;
export type Needed = KeysOf | typeof ALONE;
export type Viewer<R, Fs extends Fields> = (row: R) => ViewOf<Fs> | Promise<ViewOf<Fs>>;

/** What a create call comes to. */
export interface Made<R, View> {
  readonly row: R;
  /** The row was there before the call, which takes it over with these fields. */
  readonly patch?: Partial<R>;
  /** What the answer of this call shows, and no later one. */
  readonly once?: Partial<View>;
}

/** What goes with a row. */
export interface Farewell {
  readonly writes?: readonly Write[];
  readonly afterwards: () => Promise<void>;
}

export interface Hooks<Fs extends Fields, R extends Row> {
  /** Where rows are read; the store if a mirror does not have them. */
  readonly rows?: Rows<R>;
  /** What the steps need for themselves, beside the row and those that it refers to. */
  readonly keys?: {
    readonly create: (input: Create<Fs>) => Needed;
    /** @param patch of an update; null = the row is deleted */
    readonly change: (id: string, patch: Update<Fs> | null) => Needed;
  };
  /** What a create call means, asked before its step: rows that it names otherwise than by their ids. */
  readonly read?: (accountId: string, input: Create<Fs>) => Promise<Create<Fs>>;
  /** @throws what is wrong with what was given, but for what the definition says */
  readonly check?: (input: Create<Fs> | Update<Fs>) => void;
  /** The row of a create call, inside its step; without it, the fields that were given. */
  readonly make?: (head: Row, input: Create<Fs>) => Made<R, ViewOf<Fs>> | Promise<Made<R, ViewOf<Fs>>>;
  /** What an update writes; without it, the fields that were given. */
  readonly change?: (patch: Update<Fs>) => Partial<R>;
  /** @throws what is wrong with the row as it will be, inside its step; `before` null = it is made */
  readonly verify?: (row: R, before: R | null) => void | Promise<void>;
  /** How rows are shown; without it, as they are. Asked once for a page, so that what all rows need is looked up once. */
  readonly viewer?: (accountId: string) => Viewer<R, Fs> | Promise<Viewer<R, Fs>>;
  /** Who rests on a row beside those that refer to it, in words, and what refuses to delete it then. */
  readonly usedBy?: {
    readonly users: (row: R) => readonly string[] | Promise<readonly string[]>;
    readonly error: (row: R, users: string) => PosternError;
  };
  /** After an update that holds. */
  readonly changed?: (before: R, after: R) => Promise<void>;
  /** Inside the step that deletes the row. */
  readonly farewell?: (row: R) => Farewell | Promise<Farewell>;
}

/** Columns that no field shows are filled by `make`, and what rows do not have is shown by `viewer`. */
type Own<D> =
  D extends PlainResource<infer Fs, infer Cs>
    ? Hooks<Fs, RowFor<Fs, Cs>> &
        (keyof Cs extends never ? unknown : Required<Pick<Hooks<Fs, RowFor<Fs, Cs>>, 'make'>>) &
        (RowFor<Fs, Cs> extends ViewOf<Fs> ? unknown : Required<Pick<Hooks<Fs, RowFor<Fs, Cs>>, 'viewer'>>)
    : never;

/** The hooks of one resource. */
export type HooksOf<N extends PlainName> = (core: Core) => Own<(typeof PLAIN)[N]>;

type Needing = {
  [N in PlainName]: Partial<Own<(typeof PLAIN)[N]>> extends Own<(typeof PLAIN)[N]> ? never : N;
}[PlainName];

/** The hooks of all: those that a definition leaves no choice about have to be there. */
export type PlainHooks = { readonly [N in Needing]: HooksOf<N> } & {
  readonly [N in Exclude<PlainName, Needing>]?: HooksOf<N>;
};
