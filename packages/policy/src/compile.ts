/**
 * A policy's text → its phases, ready to run. Everything that can be checked is checked here, so that what a policy
 * cannot do is known when it is written (traffic-policy.md §1–§3).
 */
import { fail, type PosternError } from '@postern/errors';
import type { ActionEnv, CompiledAction, Condition, Recorder, Step } from './actions/action.ts';
import { ACTION_DEFINITIONS } from './actions/index.ts';
import { compileCondition, compileExpression, type CompileContext, type Compiled } from './cel/compile.ts';
import { CelProblem } from './cel/failures.ts';
import type { Eval } from './cel/scope.ts';
import { Failure } from './cel/value.ts';
import { TemplateProblem } from './interpolation/scan.ts';
import { compileTemplate } from './interpolation/template.ts';
import { RunnablePhase, type RunnableAction, type RunnableRule } from './runner.ts';
import { referencesOf, type PolicyReference } from './references.ts';
import type { CompiledPhase, CompiledPolicy, CompileOptions, PhaseName, PolicyContext } from './runtime.ts';
import { PolicyCache } from './policy-cache.ts';
import { attempt, type OnProblem } from './schema/attempt.ts';
import type { PolicyTrace, TracedAction } from './trace.ts';
import { configProblems } from './schema/problems.ts';
import { parsePolicyDocument, type ActionEntry, type PolicyDocument, type Rule } from './schema/document.ts';

const PHASES = ['on_tcp_connect', 'on_http_request', 'on_http_response', 'on_event_stream_message'] as const;

/** Compiled, and what it needs to be there. */
interface ReadPolicy extends CompiledPolicy {
  readonly references: readonly PolicyReference[];
}

const cache = new PolicyCache<ReadPolicy>();

/**
 * @param source JSON or YAML text, or the same as a value; '' is a policy without rules.
 * @throws PosternError of the 22xx series (also 90025, 90030, 90031), the path of what is wrong first in its message.
 */
export function compilePolicy(source: string | object, options: CompileOptions): CompiledPolicy {
  return read(source, options);
}

function read(source: string | object, options: CompileOptions): ReadPolicy {
  return typeof source === 'string'
    ? cache.get(source, options, () => compileAnew(source, options))
    : compileAnew(source, options);
}

/** All that is wrong with a policy, in the order in which it is found; every error has its `path` among its params. */
export function policyProblems(source: string | object, options: CompileOptions): PosternError[] {
  const problems: PosternError[] = [];
  const onProblem: OnProblem = (error) => void problems.push(error);
  attempt(() => compileAnew(source, options, onProblem), onProblem);
  // Whether all paths end cannot be told while some of them are not known.
  return problems.length > 1 ? problems.filter(({ number }) => number !== 2235) : problems;
}

/** As compilePolicy, for one run that somebody looks at; every action records its results. */
export function compileTraced(source: string | object, options: CompileOptions, trace: PolicyTrace): CompiledPolicy {
  return compileAnew(source, options, undefined, trace);
}

function compileAnew(
  source: string | object,
  options: CompileOptions,
  onProblem?: OnProblem,
  trace?: PolicyTrace,
): ReadPolicy {
  const document = parsePolicyDocument(source, {
    protocol: options.protocol,
    ...(onProblem === undefined ? {} : { onProblem }),
  });
  attempt(() => refusePhases(document, options), onProblem);
  const uses = new ResultUses(onProblem, trace);
  const compiled = PHASES.map((phase) => document.phases[phase].map((rule) => compileRule(rule, phase, options, uses)));
  if (options.kind === 'cloud') attempt(() => refuseOpenEnd(document, compiled, options), onProblem);
  const [tcp = [], request = [], response = [], message = []] = compiled;
  return {
    onTcpConnect: runnable('on_tcp_connect', tcp),
    onHttpRequest: runnable('on_http_request', request),
    onHttpResponse: runnable('on_http_response', response),
    onEventStreamMessage: runnable('on_event_stream_message', message),
    references: uses.references,
  };
}

/**
 * Checks a policy without keeping it: what an API or a bind does before it stores one.
 * @returns what the account must have for it
 * @throws as compilePolicy
 */
export function validatePolicy(source: string | object, options: CompileOptions): readonly PolicyReference[] {
  return read(source, options).references;
}

function runnable(name: PhaseName, rules: readonly RunnableRule[]): CompiledPhase | null {
  return rules.length === 0 ? null : new RunnablePhase(name, rules);
}

function refusePhases(document: PolicyDocument, { protocol, binding }: CompileOptions): void {
  const web = protocol === 'http' || protocol === 'https';
  for (const phase of ['on_http_request', 'on_http_response', 'on_event_stream_message'] as const) {
    if (!web && document.phases[phase].length > 0) {
      throw fail(2230, { path: document.written[phase], phase, protocol });
    }
  }
  if (web && binding === 'internal' && document.phases.on_tcp_connect.length > 0) {
    throw fail(2262, { path: document.written.on_tcp_connect });
  }
}

/** A cloud endpoint has no upstream: some rule without a condition must end the phase (§1). */
function refuseOpenEnd(
  document: PolicyDocument,
  [tcp = [], request = []]: readonly (readonly RunnableRule[])[],
  { protocol }: CompileOptions,
): void {
  if (tcp.some(alwaysEnds)) return;
  const web = protocol === 'http' || protocol === 'https';
  // Ranges of one random number decide among themselves, which no look at single rules can tell; where none of them did,
  // the connection is closed (6029).
  if (!web && tcp.some(mayEnd)) return;
  if (web && request.some(alwaysEnds)) return;
  const phase = web ? 'on_http_request' : 'on_tcp_connect';
  throw fail(2235, { path: document.written[phase] });
}

function mayEnd(rule: RunnableRule): boolean {
  return rule.actions.some((action) => action.terminates || action.type === 'forward-internal');
}

function alwaysEnds(rule: RunnableRule): boolean {
  return rule.conditions.length === 0 && rule.actions.some((action) => action.terminates);
}

function compileRule(rule: Rule, phase: PhaseName, options: CompileOptions, uses: ResultUses): RunnableRule {
  const { onProblem, trace } = uses;
  trace?.rule({
    phase,
    path: rule.path,
    name: rule.name,
    expressions: rule.expressions,
    actions: rule.actions.map(({ type }) => type),
  });
  const conditions = rule.expressions.map((text, index) =>
    attempt(() => compileRuleCondition(text, `${rule.path}.expressions[${index}]`, phase, uses), onProblem),
  );
  const actions: RunnableAction[] = [];
  let ended: ActionEntry | null = null;
  for (const entry of rule.actions) {
    const before: ActionEntry | null = ended;
    attempt(() => {
      if (before !== null) throw fail(2207, { path: entry.path, type: before.type });
    }, onProblem);
    const action = attempt(() => compileAction(entry, phase, options, uses), onProblem);
    if (action === null) continue;
    actions.push({ type: entry.type, ...action });
    if (action.terminates) ended = entry;
  }
  return {
    path: rule.path,
    conditions: conditions.flatMap((one) =>
      one === null || (isAlwaysTrue(one) && trace === undefined) ? [] : [one.eval],
    ),
    actions,
  };
}

function compileRuleCondition(text: string, path: string, phase: PhaseName, uses: ResultUses): Compiled {
  try {
    const { trace } = uses;
    const compiled = compileCondition(text, { phase, ...uses.expressions });
    if (trace === undefined) return compiled;
    return {
      ...compiled,
      eval(scope) {
        const value = compiled.eval(scope);
        trace.condition(path, text, value);
        return value;
      },
    };
  } catch (error) {
    throw expressionProblem(error, path, 2200);
  }
}

function isAlwaysTrue(condition: Compiled): boolean {
  return condition.constant?.value === true;
}

function compileAction(
  entry: ActionEntry,
  phase: PhaseName,
  options: CompileOptions,
  uses: ResultUses,
): CompiledAction {
  const definition = ACTION_DEFINITIONS.get(entry.type);
  if (definition === undefined) throw fail(90025, { path: entry.path, type: entry.type });
  const path = `${entry.path}.config`;
  if (uses.onProblem !== undefined) {
    const [first, ...others] = configProblems(definition.descriptor.config(phase), entry.config, path);
    for (const problem of others) uses.onProblem(problem);
    if (first !== undefined) throw first;
  }
  const env: ActionEnv = {
    phase,
    protocol: options.protocol,
    binding: options.binding,
    firewall: options.firewall !== false,
    path,
    recorder: uses.recorder(definition.descriptor.resultKey),
    claimLogin(authId) {
      const free = !uses.logins.has(authId);
      uses.logins.add(authId);
      return free;
    },
    claimGateway: () => uses.gateways++ === 0,
    refer: (kind, id, field) => void uses.references.push({ kind, id, path: `${path}${field}` }),
    program: (size) => (uses.programs.left -= size) >= 0,
    template(source, field) {
      try {
        return compileTemplate(source, { phase, ...uses.expressions });
      } catch (error) {
        throw expressionProblem(error, `${path}${field}`, 2224);
      }
    },
    expression(source, field, variables) {
      try {
        const context = { phase, ...uses.expressions, ...(variables === undefined ? {} : { variables }) };
        return uses.whole(source, compileExpression(source, context).eval);
      } catch (error) {
        throw expressionProblem(error, `${path}${field}`, 2200);
      }
    },
    condition(source, field, variables) {
      try {
        const context = { phase, ...uses.expressions, variables };
        return conditionOf(compileCondition(source, context).eval);
      } catch (error) {
        throw expressionProblem(error, `${path}${field}`, 2200);
      }
    },
  };
  const action = definition.compile(entry.config, env);
  uses.references.push(...referencesOf(definition.descriptor, entry));
  const { trace } = uses;
  if (trace === undefined) return action;
  const { type, resultKey } = definition.descriptor;
  return traced(action, { path: entry.path, type, resultKey }, trace);
}

function traced(action: CompiledAction, about: TracedAction, trace: PolicyTrace): CompiledAction {
  return {
    ...action,
    run(scope) {
      trace.begin(about, scope);
      const step = action.run(scope);
      const end = (outcome: Step): Step => {
        trace.end(about, scope, outcome);
        return outcome;
      };
      return step instanceof Promise ? step.then(end) : end(step);
    },
  };
}

const NEITHER = new Failure('it gave neither true nor false');

function conditionOf(evaluate: Eval): Condition {
  return (scope, values) => {
    for (const [slot, value] of values.entries()) scope.locals[slot] = value;
    const result = evaluate(scope);
    return typeof result === 'boolean' || result instanceof Failure ? result : NEITHER;
  };
}

function expressionProblem(error: unknown, path: string, number: 2200 | 2224): PosternError {
  if (error instanceof CelProblem) {
    if (error.unavailable !== null) return fail(90030, { path, what: error.unavailable });
    return fail(number, { path, reason: error.message });
  }
  if (error instanceof TemplateProblem) return fail(number, { path, reason: error.message });
  throw error;
}

/** Instructions of all regular expressions of one policy: what compiling them may cost, about 0.1 s. */
const MAX_PROGRAMS = 20_000;

/** What is gathered over a policy: which results some expression reads (nobody pays for the others), what it refers to. */
class ResultUses {
  readonly references: PolicyReference[] = [];
  /** Names under which actions log visitors in. */
  readonly logins = new Set<string>();
  gateways = 0;
  readonly onProblem: OnProblem | undefined;
  readonly programs = { left: MAX_PROGRAMS };
  readonly trace: PolicyTrace | undefined;
  readonly #recorders = new Map<string, ResultRecorder>();
  constructor(onProblem: OnProblem | undefined, trace: PolicyTrace | undefined) {
    this.onProblem = onProblem;
    this.trace = trace;
  }

  /** What every expression of the policy is compiled with. */
  get expressions(): Omit<CompileContext, 'phase'> {
    const { trace } = this;
    const told: CompileContext['told'] = trace === undefined ? undefined : (text, value) => trace.part(text, value);
    return { usesResult: this.use, programs: this.programs, ...(told === undefined ? {} : { told }) };
  }

  /** A bare expression in a config, which is told of as a whole. */
  whole(text: string, evaluate: Eval): Eval {
    const { trace } = this;
    if (trace === undefined) return evaluate;
    return (scope) => {
      const value = evaluate(scope);
      trace.part(text, value);
      return value;
    };
  }

  readonly use = (key: string): void => {
    this.recorder(key).on = true;
  };

  recorder(key: string): ResultRecorder {
    let recorder = this.#recorders.get(key);
    if (recorder === undefined) {
      recorder = new ResultRecorder(key);
      recorder.on = this.trace !== undefined;
      this.#recorders.set(key, recorder);
    }
    return recorder;
  }
}

class ResultRecorder implements Recorder {
  on = false;
  readonly #key: string;

  constructor(key: string) {
    this.#key = key;
  }

  record(context: PolicyContext, result: () => unknown): void {
    if (this.on) (context.results ??= new Map()).set(this.#key, result());
  }
}
