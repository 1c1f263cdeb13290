/** What an action is made of: every folder beside this file exports one {@link ActionDefinition}. */
import type { Binding, Scheme } from '@postern/link';
import type { PolicyContext, Outcome, PhaseName } from '../runtime.ts';
import type { Scope } from '../cel/scope.ts';
import type { Template } from '../interpolation/template.ts';
import type { ActionType } from '../schema/action-table.ts';

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
  /** e.g. `on_http_request[0].actions[1].config`. */
  readonly path: string;
  /** Compiles a string with `${…}`; `field` is its path below `path`, e.g. `.headers.x-a`. @throws PosternError 2224 */
  template(source: string, field: string): Template;
  readonly recorder: Recorder;
}

export interface ActionDefinition {
  readonly type: ActionType;
  /** Segment after `actions.ngrok.` */
  readonly resultKey: string;
  /** Reads and checks the config, then compiles. @throws PosternError with the path of what is wrong. */
  compile(config: Readonly<Record<string, unknown>>, env: ActionEnv): CompiledAction;
}

export interface CompiledAction {
  readonly run: RunAction;
  /** Always ends the phase when reached: what follows in the rule can never run. */
  readonly terminates: boolean;
  /** Where a forward that failed goes on: records the error. Only forward-internal has it. */
  readonly forwardFailed?: (scope: Scope, code: string, message: string) => void;
}
