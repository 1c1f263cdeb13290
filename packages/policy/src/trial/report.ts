/** What was told while a policy ran, rule by rule. */
import { Failure, type Result } from '../cel/value.ts';
import type { Scope } from '../cel/scope.ts';
import type { Step } from '../actions/action.ts';
import type { PhaseName } from '../runtime.ts';
import type { PolicyTrace, TracedAction, TracedRule } from '../trace.ts';
import { differences, snapshot, type Snapshot } from './changes.ts';
import { plainOf, type Plain } from './plain.ts';

/** What an expression, or a part of one, came to. */
export interface Evaluated {
  readonly text: string;
  readonly value: Plain;
  /** Why it has no value; absent = it has one. */
  readonly failure?: string;
}

export interface ConditionReport extends Evaluated {
  readonly parts: readonly Evaluated[];
}

export interface ActionReport {
  readonly path: string;
  readonly type: string;
  /** Of its config. */
  readonly parts: readonly Evaluated[];
  /** Clauses without subject: `answers 403`. */
  readonly did: readonly string[];
  readonly results: Plain;
}

export interface RuleReport {
  readonly phase: PhaseName;
  readonly path: string;
  readonly name: string;
  state: 'matched' | 'passed over' | 'not reached';
  readonly conditions: ConditionReport[];
  readonly actions: ActionReport[];
}

/** Listens to one run of one policy. */
export class Recording implements PolicyTrace {
  readonly rules: RuleReport[] = [];
  readonly vars = new Map<string, Plain>();
  #parts: Evaluated[] = [];
  #before: Snapshot | null = null;

  rule({ phase, path, name }: TracedRule): void {
    this.rules.push({ phase, path, name, state: 'not reached', conditions: [], actions: [] });
  }

  /** Everything that a run before this one has told. */
  forget(): void {
    for (const rule of this.rules) {
      rule.state = 'not reached';
      rule.conditions.length = 0;
      rule.actions.length = 0;
    }
    this.vars.clear();
  }

  part(text: string, value: Result): void {
    this.#parts.push(evaluated(text, value));
  }

  condition(path: string, text: string, value: Result): void {
    const rule = this.#ruleOf(path);
    if (rule === undefined) return;
    rule.conditions.push({ ...evaluated(text, value), parts: this.#taken() });
    // Until one of its actions begins.
    rule.state = 'passed over';
  }

  begin(action: TracedAction, scope: Scope): void {
    const rule = this.#ruleOf(action.path);
    if (rule !== undefined) rule.state = 'matched';
    this.#parts = [];
    this.#before = snapshot(scope);
  }

  end(action: TracedAction, scope: Scope, step: Step): void {
    const before = this.#before ?? snapshot(scope);
    for (const [name, value] of scope.vars) this.vars.set(name, plainOf(value));
    this.#ruleOf(action.path)?.actions.push({
      path: action.path,
      type: action.type,
      parts: this.#taken(),
      did: [...differences(before, snapshot(scope)), ...outcomeOf(step)],
      results: plainOf(scope.context.results?.get(action.resultKey)),
    });
  }

  #ruleOf(path: string): RuleReport | undefined {
    return this.rules.find((rule) => path.startsWith(`${rule.path}.`));
  }

  #taken(): Evaluated[] {
    const parts = this.#parts;
    this.#parts = [];
    return parts;
  }
}

function evaluated(text: string, value: Result): Evaluated {
  return value instanceof Failure ? { text, value: null, failure: value.message } : { text, value: plainOf(value) };
}

function outcomeOf(step: Step): string[] {
  if (step === null) return [];
  switch (step.kind) {
    case 'continue':
      return [];
    case 'respond':
      return [`answers ${step.status}`];
    case 'error':
      return [`answers ${step.error.status} with ${step.error.code}: ${step.error.message}`];
    case 'close':
      return ['closes the connection'];
    case 'forward':
      return [`forwards to ${step.to.url}`];
    case 'relay':
      return ['asks providers of models'];
    default:
      return step satisfies never;
  }
}
