import type { PhaseName } from '../runtime.ts';
import type { Shape } from './shapes.ts';
import type { Result } from './value.ts';

/** What an expression is compiled for. */
export interface CompileContext {
  readonly phase: PhaseName;
  /** Told the segment after `actions.ngrok.` of every result that the expression reads. */
  readonly usesResult: (key: string) => void;
  /** Instructions that the regular expressions of the policy may still have, together; absent = not counted. */
  readonly programs?: { left: number };
  /** Names of this expression alone; whoever evaluates it puts their values first into `Scope.locals`, in this order. */
  readonly variables?: ReadonlyMap<string, Shape>;
  /** Told what each part of the expression came to; absent = nobody asks, and nothing is added to what runs. */
  readonly told?: (text: string, value: Result) => void;
}
