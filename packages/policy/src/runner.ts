/**
 * The cursor that walks a phase: rules from top to bottom, actions in order (traffic-policy.md §2). It is synchronous
 * until an action returns a promise, and goes on from there when that settles. It is also the scope that expressions
 * are evaluated in, so that one small object per phase and request is all that a policy costs in memory.
 */
import { fail, type PosternError } from '@postern/errors';
import type { CompiledAction } from './actions/action.ts';
import { CONTINUE, failed } from './actions/outcome.ts';
import type { Eval, Scope } from './cel/scope.ts';
import { BUDGET } from './cel/work.ts';
import { TOO_MANY_STEPS } from './cel/limits.ts';
import { Failure, Fatal, type Result, type Value } from './cel/value.ts';
import { RequestParts } from './cel/variables/request-parts.ts';
import type { CompiledPhase, Outcome, PhaseName, PhaseRun, PolicyContext } from './runtime.ts';

export interface RunnableRule {
  readonly path: string;
  readonly conditions: readonly Eval[];
  readonly actions: readonly RunnableAction[];
}

export interface RunnableAction extends CompiledAction {
  readonly type: string;
}

export class RunnablePhase implements CompiledPhase {
  readonly name: PhaseName;
  readonly #rules: readonly RunnableRule[];

  constructor(name: PhaseName, rules: readonly RunnableRule[]) {
    this.name = name;
    this.#rules = rules;
  }

  start(context: PolicyContext): PhaseRun {
    return new Cursor(this.name, this.#rules, context);
  }
}

class Cursor implements PhaseRun, Scope {
  readonly context: PolicyContext;
  readonly locals: Result[] = [];
  #ownBudget = BUDGET;
  #vars: Map<string, Value> | null = null;
  #parts: RequestParts | null = null;
  readonly #phase: PhaseName;
  readonly #rules: readonly RunnableRule[];
  #rule = 0;
  #action = 0;
  /** The forward that may still be reported as failed. */
  #forward: RunnableAction | null = null;

  constructor(phase: PhaseName, rules: readonly RunnableRule[], context: PolicyContext) {
    this.#phase = phase;
    this.#rules = rules;
    this.context = context;
  }

  /** The phase's own, or what is left of the request's. */
  get budget(): number {
    return Math.min(this.#ownBudget, this.context.work.unitsLeft);
  }

  set budget(left: number) {
    const units = this.budget - left;
    this.#ownBudget -= units;
    this.context.work.unitsLeft -= units;
  }

  get vars(): Map<string, Value> {
    this.#vars ??= this.#phase === 'on_event_stream_message' ? (this.context.responseVars ?? new Map()) : new Map();
    if (this.#phase === 'on_http_response') this.context.responseVars = this.#vars;
    return this.#vars;
  }

  get parts(): RequestParts {
    return (this.#parts ??= new RequestParts());
  }

  next(): Outcome | Promise<Outcome> {
    for (; this.#rule < this.#rules.length; this.#rule++, this.#action = 0) {
      const rule = this.#rules[this.#rule];
      if (rule === undefined) break;
      if (this.#action === 0) {
        const matched = this.#matches(rule);
        if (matched === false) continue;
        if (matched !== true) return this.#cut(matched);
      }
      while (this.#action < rule.actions.length) {
        const action = rule.actions[this.#action++];
        if (action === undefined) break;
        const step = this.#run(action);
        if (step === null) continue;
        if (step instanceof Promise) return this.#resume(step, action);
        return this.#end(step, action);
      }
    }
    return CONTINUE;
  }

  forwardFailed(error: PosternError): Outcome | Promise<Outcome> {
    const forward = this.#forward;
    this.#forward = null;
    if (forward?.forwardFailed === undefined) return failed(error);
    forward.forwardFailed(this, error.code, error.message);
    return this.next();
  }

  #run(action: RunnableAction): Outcome | null | Promise<Outcome | null> {
    try {
      return action.run(this);
    } catch (error) {
      return broken(action, error);
    }
  }

  async #resume(step: Promise<Outcome | null>, action: RunnableAction): Promise<Outcome> {
    let outcome: Outcome | null;
    try {
      outcome = await step;
    } catch (error) {
      outcome = broken(action, error);
    }
    return outcome === null ? this.next() : this.#end(outcome, action);
  }

  /** Nothing runs behind an outcome, except behind a forward that may fail. */
  #end(outcome: Outcome, action: RunnableAction): Outcome {
    if ((outcome.kind === 'forward' || outcome.kind === 'relay') && outcome.onError === 'continue')
      this.#forward = action;
    else this.#rule = this.#rules.length;
    return outcome;
  }

  /** What cannot be judged is not let through: the phase ends with an error, whatever comes behind. */
  #cut(error: PosternError): Outcome {
    this.#rule = this.#rules.length;
    return failed(error);
  }

  /** Conditions are and-ed, from the left; one that fails means no match, and a warning, or ends all (§2.8). */
  #matches(rule: RunnableRule): boolean | PosternError {
    const { conditions } = rule;
    for (let i = 0; i < conditions.length; i++) {
      const condition = conditions[i];
      if (condition === undefined) continue;
      const result = this.#evaluate(condition);
      if (this.budget < 0) return TOO_MANY_STEPS.toError();
      if (result === true) continue;
      if (result instanceof Fatal) return result.toError();
      if (result !== false) {
        const reason = result instanceof Failure ? result.message : 'it gave neither true nor false';
        if (this.context.strict === true) return fail(2254, { reason });
        this.context.warn(`${rule.path}.expressions[${i}] failed, so the rule was passed over: ${reason}`);
      }
      return false;
    }
    return true;
  }

  #evaluate(condition: Eval): Result {
    try {
      return condition(this);
    } catch (error) {
      return new Fatal(2254, { reason: error instanceof Error ? error.message : 'it could not be evaluated' });
    }
  }
}

function broken(action: RunnableAction, cause: unknown): Outcome {
  return failed(fail(2300, { type: action.type }, { cause }));
}
