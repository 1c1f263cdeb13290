/** The TypeScript types that a definition means, so that nobody writes them a second time. */
import type { Field, FieldOptions, Fields, Kind } from './field.ts';
import type { CamelName } from './names.ts';

type Write = 'create' | 'update';
export type Flatten<T> = { readonly [K in keyof T]: T[K] };

type TextKind = 'text' | 'id' | 'time';

type Input<K extends Kind, O extends FieldOptions> = K extends TextKind
  ? string
  : K extends 'integer'
    ? number
    : K extends 'flag'
      ? boolean
      : K extends 'texts'
        ? readonly string[]
        : K extends 'labels'
          ? Readonly<Record<string, string>>
          : O['of'] extends Fields
            ? InputOf<O['of'], 'create'>
            : never;

type Takes<F, W extends Write> =
  F extends Field<infer K, infer O>
    ? K extends 'unserved'
      ? false
      : O['in'] extends W | 'both'
        ? true
        : false
    : false;
/** Whether a body that was read has it in any case. */
type Needs<F> =
  F extends Field<Kind, infer O>
    ? O['required'] extends true
      ? true
      : O['preset'] extends boolean
        ? true
        : false
    : false;
type InputValue<F> = F extends Field<infer K, infer O> ? Input<K, O> : never;

/** A body after it was read: camelCase, absent members left out. */
export type InputOf<Fs extends Fields, W extends Write> = Flatten<
  {
    readonly [
      N in keyof Fs as Takes<Fs[N], W> extends true
        ? Needs<Fs[N]> extends true
          ? CamelName<N & string>
          : never
        : never
    ]: InputValue<Fs[N]>;
  } & {
    readonly [
      N in keyof Fs as Takes<Fs[N], W> extends true
        ? Needs<Fs[N]> extends true
          ? never
          : CamelName<N & string>
        : never
    ]?: InputValue<Fs[N]>;
  }
>;

export type Shown<K extends Kind, O extends FieldOptions> = K extends TextKind | 'ref' | 'owner'
  ? string
  : K extends 'refs'
    ? readonly string[]
    : K extends 'objects'
      ? O['of'] extends Fields
        ? readonly ViewOf<O['of']>[]
        : never
      : K extends 'object'
        ? O['of'] extends Fields
          ? ViewOf<O['of']>
          : never
        : Input<K, O>;

type ViewName<N extends string, F> =
  F extends Field<infer K, infer O>
    ? K extends 'uri' | 'unserved'
      ? never
      : O['out'] extends 'never'
        ? never
        : O['computed'] extends true
          ? never
          : O['view'] extends string
            ? O['view']
            : K extends 'ref' | 'owner'
              ? `${CamelName<N>}Id`
              : CamelName<N>
    : never;

/** `null` stands for "unset" where an answer says null; elsewhere an empty text does. */
type ViewValue<F> = F extends Field<infer K, infer O> ? Shown<K, O> | (O['out'] extends 'null' ? null : never) : never;

/** What the rules hand to a surface: every field that answers show and that is not computed there. */
export type ViewOf<Fs extends Fields> = {
  readonly [N in keyof Fs as ViewName<N & string, Fs[N]>]: ViewValue<Fs[N]>;
};
