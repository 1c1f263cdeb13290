import { fail, isPosternError, type PosternError } from '@postern/errors';
import { TOO_MANY_STEPS } from '../../cel/limits.ts';
import type { Scope } from '../../cel/scope.ts';
import { Failure, type Value } from '../../cel/value.ts';
import { readConfig } from '../../schema/problems.ts';
import { GO_ON, type ActionDefinition, type ActionEnv, type Step } from '../action.ts';
import { headerTemplates } from '../headers.ts';
import { CLOSE, failed, unfilled } from '../outcome.ts';
import { perform } from './perform.ts';
import { fillRequest, type FilledRequest, type RequestPlan } from './plan.ts';
import { resultOf, RETRY_VARIABLES, unmadeResult } from './result.ts';
import { httpRequestAction, httpRequestSchema } from './schema.ts';
import { callTarget } from './target.ts';

/**
 * Asks an internal endpoint of the account, and leaves what it answered at `actions.ngrok.http_request`, whatever its
 * status: only a request without an answer is an error. The visitor's own body stays where it is.
 */
export const httpRequest: ActionDefinition = {
  descriptor: httpRequestAction,
  compile(config, env) {
    const parsed = readConfig(httpRequestSchema, config, env.path);
    const plan: RequestPlan = {
      path: `${env.path}.url`,
      method: parsed.method,
      url: env.template(parsed.url, '.url'),
      query: (parsed.query_params ?? []).map(({ key, value }, index) => [
        env.template(key, `.query_params[${index}].key`),
        env.template(value, `.query_params[${index}].value`),
      ]),
      headers: headerTemplates(parsed.headers ?? {}, env),
      body: env.template(parsed.body ?? '', '.body'),
      redirects: parsed.max_redirects,
      timeoutMs: parsed.timeout,
      retry: retryOf(parsed.retry_condition, env),
    };
    refuseTarget(plan);
    const halts = parsed.on_error === 'halt';
    return { terminates: false, run: (scope) => begin(plan, halts, env, scope) };
  },
};

function retryOf(written: string | undefined, env: ActionEnv): RequestPlan['retry'] {
  if (written === undefined || written.trim() === 'false') return null;
  return env.condition(written, '.retry_condition', RETRY_VARIABLES);
}

function refuseTarget({ url, path }: RequestPlan): void {
  if (url.text === null) return;
  const target = callTarget(url.text);
  if ('problem' in target) throw fail(2226, { path, value: url.text, reason: target.problem });
}

function begin(plan: RequestPlan, halts: boolean, env: ActionEnv, scope: Scope): Step | Promise<Step> {
  const request = fillRequest(plan, scope);
  if (request instanceof Failure) return unfilled(request);
  if (!isPosternError(request)) return send(plan, request, halts, env, scope);
  return settle(halts, env, scope, request, () => unmadeResult(request, scope));
}

async function send(
  plan: RequestPlan,
  request: FilledRequest,
  halts: boolean,
  env: ActionEnv,
  scope: Scope,
): Promise<Step> {
  const { services, signal } = scope.context;
  if (services.outgoing === null) return failed(fail(2300, { type: 'http-request' }));
  const attempts = await perform(plan, request, services.outgoing, scope);
  // What is behind it in the policy is not run for nobody.
  if (signal.aborted) return CLOSE;
  if (attempts instanceof Failure) return unfilled(attempts);
  const answer = attempts.at(-1)?.answer;
  const error = isPosternError(answer) ? answer : null;
  return settle(halts, env, scope, error, () => resultOf(attempts, scope));
}

function settle(halts: boolean, env: ActionEnv, scope: Scope, error: PosternError | null, result: () => Value): Step {
  env.recorder.record(scope.context, result);
  if (scope.budget < 0) return unfilled(TOO_MANY_STEPS);
  return error !== null && halts ? failed(error) : GO_ON;
}
