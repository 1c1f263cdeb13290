/** What an expression is evaluated against: one phase of one connection or request. */
import type { PolicyContext } from '../runtime.ts';
import type { RequestParts } from './variables/request-parts.ts';
import { Failure, type Result, type Value } from './value.ts';

export interface Scope {
  readonly context: PolicyContext;
  /** Set by `set-vars`; live as long as the phase. */
  readonly vars: Map<string, Value>;
  /** Variables of comprehensions under evaluation, by slot. */
  readonly locals: Result[];
  /** What this phase may still cost (work.ts). Below 0 it is over, and ends with an error. */
  budget: number;
  /** Parsed views of the request head, kept while the head stays as it is. */
  readonly parts: RequestParts;
}

export const NO_REQUEST = new Failure('there is no request in this phase');
export const NO_RESPONSE = new Failure('there is no response in this phase');

export type Eval = (scope: Scope) => Result;
