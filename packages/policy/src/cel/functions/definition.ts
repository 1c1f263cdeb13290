/** One row of the function table. */
import type { CelList, CelMap, CelUint } from '@bufbuild/cel';
import type { PhaseName } from '../../runtime.ts';
import type { Scope } from '../scope.ts';
import type { Shape } from '../shapes.ts';
import type { Result, StaticType, Value } from '../value.ts';

interface Natives {
  dyn: Value;
  bool: boolean;
  int: bigint;
  uint: CelUint;
  double: number;
  string: string;
  bytes: Uint8Array;
  null: null;
  timestamp: Value;
  duration: Value;
  type: Value;
  list: CelList;
  map: CelMap;
}

export type Style = 'method' | 'global';
export type Implementation = (scope: Scope, ...args: Value[]) => Result;

export interface FunctionDef {
  /** Namespaced names have their dots: `rand.int`. */
  readonly name: string;
  readonly style: Style;
  /** A method's receiver first. */
  readonly args: readonly StaticType[];
  readonly result: StaticType;
  /** More of the result than its type, told from the shapes of the arguments. */
  readonly shape?: (args: readonly Shape[]) => Shape;
  /** Absent = all. */
  readonly phases?: readonly PhaseName[];
  /** The CEL library's own evaluator runs it, which has its price. */
  readonly byLibrary?: boolean;
  /** Known to the language, not to this build. */
  readonly unavailable?: boolean;
  readonly apply: Implementation;
}

type NativeArgs<A extends readonly StaticType[]> = { [K in keyof A]: Natives[A[K]] };

export function define<const A extends readonly StaticType[]>(
  style: Style,
  name: string,
  args: A,
  result: StaticType,
  apply: (scope: Scope, ...args: NativeArgs<A>) => Result,
  phases?: readonly PhaseName[],
): FunctionDef {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller checks the kinds against `args` before it applies
  const row = { name, style, args, result, apply: apply as unknown as Implementation };
  return phases === undefined ? row : { ...row, phases };
}

/** The same row, which asks the CEL library. */
export function byLibrary(row: FunctionDef): FunctionDef {
  return { ...row, byLibrary: true };
}

/** The same row, whose result always has this shape. */
export function giving(shape: Shape, row: FunctionDef): FunctionDef {
  return { ...row, shape: () => shape };
}

/** The same row, whose result is a list of what its first argument is a list of. */
export function ofTheSame(row: FunctionDef): FunctionDef {
  return {
    ...row,
    shape: ([list]) => (list?.item === undefined ? { type: 'list' } : { type: 'list', item: list.item }),
  };
}
