/** Which models a request may be answered by, in the order in which they are tried. */
import { celList, celMap, isCelList } from '@bufbuild/cel';
import { fail, isPosternError, type PosternError } from '@postern/errors';
import { TOO_MANY_STEPS } from '../../cel/limits.ts';
import type { Scope } from '../../cel/scope.ts';
import { Failure, Fatal, type Value } from '../../cel/value.ts';
import { spend } from '../../cel/work.ts';
import { printable } from '../../schema/printable.ts';
import { plainModel, type Model, type Plan, type Provider } from './plan.ts';
import { providerOfModel } from './providers.ts';

/** Whoever asks leaves the choice to the policy. */
const AUTO: ReadonlySet<string> = new Set(['', 'ngrok/auto']);

export interface Selection {
  readonly models: readonly Model[];
  readonly rejected: readonly { readonly model: string; readonly reason: string }[];
  readonly steps: readonly SelectionStep[];
}

export interface SelectionStep {
  readonly strategy: string;
  readonly returned: readonly string[];
  readonly kept: readonly string[];
}

/** @param wanted names as the visitor has them, the one that is liked best first */
export function selectModels(plan: Plan, wanted: readonly string[], scope: Scope): Selection | PosternError | Failure {
  const rejected: { model: string; reason: string }[] = [];
  const models = new Set<Model>();
  const named = wanted.filter((name) => !AUTO.has(name));
  const described = plan.providers.flatMap((provider) => (provider.disabled ? [] : provider.models));
  if (!spend(scope, (1 + named.length) * (described.length + plan.providers.length))) return TOO_MANY_STEPS;
  if (named.length === 0) for (const model of described) models.add(model);
  for (const name of named) {
    const found = resolve(plan, name, described);
    if (typeof found === 'string') rejected.push({ model: name, reason: found });
    else for (const model of found) models.add(model);
  }
  const steps: SelectionStep[] = [];
  const chosen = plan.strategies.length === 0 ? [...models] : byStrategy(plan, described, models, steps, scope);
  if (chosen instanceof Failure || isPosternError(chosen)) return chosen;
  if (chosen.length > 0) return { models: chosen, rejected, steps };
  const [first] = rejected;
  if (first !== undefined) return fail(3804, { reason: first.reason });
  const reason = plan.strategies.length > 0 ? 'model_selection chooses none for it' : 'it names none';
  return fail(3804, { reason });
}

/** @returns a clause when there is none */
function resolve(plan: Plan, name: string, described: readonly Model[]): readonly Model[] | string {
  const whole = described.filter(({ names }) => names.has(name));
  if (whole.length > 0) return whole;
  const shown = printable(name);
  const at = name.indexOf(':');
  const prefixed = at > 0 ? providerNamed(plan, name.slice(0, at)) : undefined;
  const provider = prefixed ?? providerNamed(plan, providerOfModel(name) ?? '');
  if (provider === undefined) return `${shown} is the model of no provider that is known here`;
  if (provider.disabled) return `the provider of ${shown} is switched off`;
  const id = prefixed === undefined ? name : name.slice(at + 1);
  const own = provider.models.filter(({ names }) => names.has(id));
  if (own.length > 0) return own;
  if (plan.config.only_allow_configured_models) return `${shown} is not among the models that are allowed`;
  return id === '' ? `${shown} names no model` : [plainModel(id, provider)];
}

function providerNamed({ providers }: Plan, name: string): Provider | undefined {
  return name === '' ? undefined : providers.find(({ names }) => names.has(name));
}

/** The first strategy that leaves something of what is wanted. */
function byStrategy(
  { strategies }: Plan,
  described: readonly Model[],
  wanted: ReadonlySet<Model>,
  steps: SelectionStep[],
  scope: Scope,
): readonly Model[] | PosternError | Failure {
  const all = [...new Set([...described, ...wanted])];
  const byShown = new Map<Value, Model>(all.map((model) => [model.shown, model]));
  const ai = celMap(new Map([['models', celList(all.map(({ shown }) => shown))]]));
  for (const { text, select } of strategies) {
    scope.locals[0] = ai;
    const result = select(scope);
    if (scope.budget < 0) return TOO_MANY_STEPS;
    if (result instanceof Fatal) return result;
    if (result instanceof Failure) return fail(3803, { reason: result.message });
    if (!isCelList(result)) return fail(3803, { reason: 'it gave no list of models' });
    const returned: Model[] = [];
    for (const item of result) {
      const model = byShown.get(item);
      if (model !== undefined) returned.push(model);
    }
    const kept = returned.filter((model) => wanted.has(model));
    steps.push({ strategy: text, returned: returned.map(nameOf), kept: kept.map(nameOf) });
    if (kept.length > 0) return kept;
  }
  return [];
}

export function nameOf({ id, provider }: Model): string {
  return `${provider.id}:${id}`;
}
