import { fail, isPosternError, type PosternError } from '@postern/errors';
import { encodeJson } from '../../cel/functions/json.ts';
import { TOO_MANY_STEPS } from '../../cel/limits.ts';
import type { Scope } from '../../cel/scope.ts';
import { Failure } from '../../cel/value.ts';
import { spend } from '../../cel/work.ts';
import type { RequestView } from '../../runtime.ts';
import { isHeaderValue } from '../../schema/headers.ts';
import { printable } from '../../schema/printable.ts';
import { readConfig } from '../../schema/problems.ts';
import type { Relays } from '../../services.ts';
import type { ActionDefinition, ActionEnv, Step } from '../action.ts';
import { unreadBody } from '../body.ts';
import { renderHeaders, type HeaderLine } from '../headers.ts';
import { failed, unfilled } from '../outcome.ts';
import { ask, type Attempt, type Call } from './attempts.ts';
import { planOf, type Plan, type Provider } from './plan.ts';
import { surfaceOf } from './providers.ts';
import { estimateTokens, fieldsIn, MAX_BODY, readPrompt, type Fields, type Prompt } from './prompt.ts';
import { keyOfVisitor, resultOf } from './result.ts';
import { aiGatewayAction, aiGatewaySchema } from './schema.ts';
import { selectModels, type Selection } from './select.ts';

/** What a provider is told of the visitor's request; cookies and addresses stay here. */
const PASSED: readonly string[] = [
  'accept',
  'anthropic-beta',
  'anthropic-version',
  'idempotency-key',
  'openai-beta',
  'openai-organization',
  'openai-project',
];

/** Known of a request so far, for its results. */
interface Known {
  readonly req: RequestView;
  prompt: Prompt | null;
  selection: Selection | null;
  inputTokens: number;
  readonly attempts: Attempt[];
}

/** Sends a request for a model to the first of its providers that answers; the answer is the visitor's as it comes. */
export const aiGateway: ActionDefinition = {
  descriptor: aiGatewayAction,
  compile(config, env) {
    if (!env.claimGateway()) throw fail(2266, { path: env.path });
    const plan = planOf(readConfig(aiGatewaySchema, config, env.path), env);
    return {
      terminates: plan.config.on_error === 'halt',
      run: (scope) => begin(plan, env, scope),
      // Its results are there already.
      forwardFailed() {},
    };
  },
};

async function begin(plan: Plan, env: ActionEnv, scope: Scope): Promise<Step> {
  const { context } = scope;
  const { req, services } = context;
  const { relays } = services;
  if (req === null || relays === null) return failed(fail(2300, { type: 'ai-gateway' }));
  const known: Known = { req, prompt: null, selection: null, inputTokens: 0, attempts: [] };
  const call = await prepare(plan, known, env, scope);
  if (call instanceof Failure) return unfilled(call);
  return {
    kind: 'relay',
    onError: plan.config.on_error,
    open: () => open(call, relays, env, scope, known),
  };
}

async function open(call: Call | PosternError, relays: Relays, env: ActionEnv, { context }: Scope, known: Known) {
  const answer = isPosternError(call) ? call : await ask(call, relays, context, known.attempts);
  env.recorder.record(context, () => resultOf({ ...known, error: isPosternError(answer) ? answer : null }));
  return answer;
}

async function prepare(plan: Plan, known: Known, env: ActionEnv, scope: Scope): Promise<Call | PosternError | Failure> {
  const { req } = known;
  const target = targetOf(req);
  if (isPosternError(target)) return target;
  const body = await req.readBody(MAX_BODY);
  if (typeof body === 'string') return unreadBody(body, MAX_BODY);
  // It is held once as it came, once as values, and once as it goes out.
  if (body.length > 0 && !req.reserve(2 * body.length)) return unreadBody('no-room', MAX_BODY);
  const prompt = readPrompt(body, scope);
  if (prompt instanceof Failure || isPosternError(prompt)) return prompt;
  known.prompt = prompt;
  known.inputTokens = estimateTokens(prompt.fields);
  const { max_input_tokens: max } = plan.config;
  if (max !== undefined && known.inputTokens > max) return fail(90086, { tokens: known.inputTokens, max });
  const selection = selectModels(plan, [prompt.model, ...prompt.models], scope);
  if (selection instanceof Failure || isPosternError(selection)) return selection;
  known.selection = selection;
  const models: Call['models'][number][] = [];
  for (const model of selection.models) {
    const keys = keysOf(model.provider, keyOfVisitor(req), scope);
    if (keys instanceof Failure) return keys;
    if (keys.length > 0) models.push({ model, keys });
  }
  if (models.length === 0) return fail(3802, { provider: selection.models[0]?.provider.id ?? '' });
  const call = fill(plan, prompt, models, target, req, scope);
  return call instanceof Failure ? call : { ...call, excerpts: env.recorder.on };
}

interface Target {
  readonly surface: string;
  /** The visitor's query. */
  readonly asked: string;
}

function targetOf({ method, target }: RequestView): Target | PosternError {
  if (method !== 'POST') return fail(3801, { reason: `its method is ${method}, and not POST` });
  const at = target.indexOf('?');
  const path = at === -1 ? target : target.slice(0, at);
  const surface = surfaceOf(path);
  if (surface === null) return fail(3801, { reason: `${printable(path)} asks no model` });
  return { surface, asked: at === -1 ? '' : target.slice(at + 1) };
}

/** @returns none when somebody is to be asked who answers nobody without one */
function keysOf({ keys, baseUrl }: Provider, ofVisitor: string, scope: Scope): readonly string[] | Failure {
  if (keys.length === 0) {
    if (ofVisitor !== '') return [ofVisitor];
    return NEEDS_KEY.test(baseUrl) ? [] : [''];
  }
  const texts: string[] = [];
  for (const key of keys) {
    const text = key.require(scope);
    if (text instanceof Failure) return text;
    if (text === '' || !isHeaderValue(text))
      return new Failure('a key of a provider is empty, or none that can be sent');
    texts.push(text);
  }
  return texts;
}

/** Public services, which let nobody in without one. */
const NEEDS_KEY =
  /^https:\/\/(?:api\.(?:openai|anthropic|deepseek|groq)\.com|openrouter\.ai|[a-z]+\.googleapis\.com)\//;

function fill(
  plan: Plan,
  prompt: Prompt,
  models: Call['models'],
  { surface, asked }: Target,
  req: RequestView,
  scope: Scope,
): Omit<Call, 'excerpts'> | Failure {
  const headers = renderHeaders(plan.headers, scope);
  if (headers instanceof Failure) return headers;
  const pairs: string[] = [];
  for (const [name, template] of plan.query) {
    const value = template.render(scope);
    if (value instanceof Failure) return value;
    pairs.push(`${encodeURIComponent(name)}=${encodeURIComponent(value.toWellFormed())}`);
  }
  const added = addedTo(plan, scope);
  if (added instanceof Failure) return added;
  return {
    plan,
    prompt,
    models,
    surface,
    queries: [asked, pairs.join('&')],
    headers: [...passed(req), ...headers],
    added,
  };
}

function passed({ headers }: RequestView): HeaderLine[] {
  return PASSED.flatMap((name): HeaderLine[] => {
    const value = headers.get(name);
    return value === undefined || !isHeaderValue(value) ? [] : [[name, value]];
  });
}

function addedTo({ body }: Plan, scope: Scope): Fields | Failure {
  if (body === null) return {};
  const value = body.get(scope);
  if (value instanceof Failure) return value;
  const text = encodeJson(value, scope);
  if (text instanceof Failure) return text;
  if (!spend(scope, text.length / 4)) return TOO_MANY_STEPS;
  return fieldsIn(text) ?? {};
}
