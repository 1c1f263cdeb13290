/** A piece of an expression after compiling, and what its parents may know about it. */
import type { PhaseName } from '../runtime.ts';
import type { Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import type { Eval } from './scope.ts';
import type { Shape } from './shapes.ts';
import type { StaticType, Value } from './value.ts';
import type { Keyed } from './variables/index.ts';

export interface Compiled extends Shape {
  readonly eval: Eval;
  /** Known already, whatever the request. */
  readonly constant?: { readonly value: Value };
  /** Maps that can be asked for one key without being built. */
  readonly keyed?: Keyed;
  /** What is missing in it reads as null. */
  readonly lenient?: boolean;
  /** Spelled as in old agents' fixtures, which compare numbers with text. */
  readonly legacy?: boolean;
}

/** A variable of a comprehension. */
export interface Local {
  readonly slot: number;
  readonly shape: Shape;
}

/** What is shared while one expression is compiled. */
export interface Builder {
  readonly phase: PhaseName;
  /** Comprehension variables in sight. */
  readonly locals: ReadonlyMap<string, Local>;
  readonly depth: number;
  /** Nesting of comprehensions. */
  readonly folds: number;
  /** Called with the segment after `actions.ngrok.` whenever an expression reads a result. */
  readonly usesResult: (key: string) => void;
  build(expr: Expr, locals?: ReadonlyMap<string, Local>, folds?: number): Compiled;
  /** Nodes of the expression that have been built: the difference tells what a step of a macro evaluates. */
  readonly nodes: () => number;
  /** Counts the instructions of a regular expression. @returns false when the policy has too many */
  readonly program: (size: number) => boolean;
  /** A fresh slot for a comprehension variable. */
  slot(): number;
}

export function constant(type: StaticType, value: Value): Compiled {
  return { type, eval: () => value, constant: { value } };
}
