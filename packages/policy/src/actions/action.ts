/** What an action is made of: every folder beside this file exports one {@link ActionDefinition}. */
import type { Binding, Scheme } from '@postern/link';
import type { PolicyContext, Outcome, PhaseName } from '../runtime.ts';
import type { Eval, Scope } from '../cel/scope.ts';
import type { Shape } from '../cel/shapes.ts';
import type { Failure, Value } from '../cel/value.ts';
import type { Template } from '../interpolation/template.ts';
import type { ActionType } from '../schema/action-table.ts';
import type { ActionDescriptor, ReferenceKind } from './descriptor.ts';

/** Go on with the next action. */
export const GO_ON = null;
export type Step = Outcome | null;

/** One action of one rule, ready to run. It is shared by all requests and keeps nothing of any of them. */
export type RunAction = (scope: Scope) => Step | Promise<Step>;

/** Whether anything in the policy reads an action's results; if not, they are never made. */
export interface Recorder {
  readonly on: boolean;
  record(context: PolicyContext, result: () => unknown): void;
}

export interface ActionEnv {
  readonly phase: PhaseName;
  readonly protocol: Scheme;
  readonly binding: Binding;
  /** Whether the server may have rules of a firewall. */
  readonly firewall: boolean;
  /** e.g. `on_http_request[0].actions[1].config`. */
  readonly path: string;
  /** Compiles a string with `${…}`; `field` is its path below `path`, e.g. `.headers.x-a`. @throws PosternError 2224 */
  template(source: string, field: string): Template;
  /** Counts the instructions of a regular expression. @returns false when the policy has too many */
  program(size: number): boolean;
  /**
   * Compiles a bare expression of any type, without `${…}` around it. Values of `variables` are put in the scope's locals
   * before it is evaluated, in their order. @throws PosternError 2200
   */
  expression(source: string, field: string, variables?: ReadonlyMap<string, Shape>): Eval;
  /**
   * Compiles a bare condition in which `variables` stand besides all others; their values are given with the scope.
   * @throws PosternError 2200
   */
  condition(source: string, field: string, variables: ReadonlyMap<string, Shape>): Condition;
  /** @returns false when another action of the policy logs visitors in under this name */
  claimLogin(authId: string): boolean;
  /** @returns false when the policy has one already */
  claimGateway(): boolean;
  /** What has to be there for the action to work: whoever keeps the policy looks. `field` as in `template`. */
  refer(kind: ReferenceKind, id: string, field: string): void;
  readonly recorder: Recorder;
}

/** Anything but true and false is a failure; a budget that is gone shows in the scope. */
export type Condition = (scope: Scope, values: readonly Value[]) => boolean | Failure;

export interface ActionDefinition {
  readonly descriptor: ActionDescriptor<ActionType>;
  /** Reads and checks the config, then compiles. @throws PosternError with the path of what is wrong. */
  compile(config: Readonly<Record<string, unknown>>, env: ActionEnv): CompiledAction;
}

export interface CompiledAction {
  readonly run: RunAction;
  /** Always ends the phase when reached: what follows in the rule can never run. */
  readonly terminates: boolean;
  /** Where a forward or a relay that failed goes on: records the error. */
  readonly forwardFailed?: (scope: Scope, code: string, message: string) => void;
}
