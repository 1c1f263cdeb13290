/**
 * What a policy does, told step by step: for `postern policy explain` and for tests of policies. Policies that serve
 * visitors are compiled without one, and pay nothing for it.
 */
import type { Scope } from './cel/scope.ts';
import type { Result } from './cel/value.ts';
import type { Step } from './actions/action.ts';
import type { PhaseName } from './runtime.ts';

export interface TracedRule {
  readonly phase: PhaseName;
  readonly path: string;
  readonly name: string;
  readonly expressions: readonly string[];
  readonly actions: readonly string[];
}

export interface TracedAction {
  readonly path: string;
  readonly type: string;
  /** Segment after `actions.ngrok.` under which its results are. */
  readonly resultKey: string;
}

export interface PolicyTrace {
  /** While the policy is compiled: each rule that there is. */
  rule(rule: TracedRule): void;
  /** A part of an expression has been evaluated; told before what it is part of. */
  part(text: string, value: Result): void;
  condition(path: string, text: string, value: Result): void;
  /** An action begins; what is told until its end belongs to it. */
  begin(action: TracedAction, scope: Scope): void;
  end(action: TracedAction, scope: Scope, step: Step): void;
}
