/** The request goes out: again while its condition holds, and on to where redirects lead; all of it within one timeout. */
import { setTimeout as rest } from 'node:timers/promises';
import { fail, isPosternError, type PosternError } from '@postern/errors';
import { TOO_MANY_STEPS } from '../../cel/limits.ts';
import type { Scope } from '../../cel/scope.ts';
import { Failure, Fatal } from '../../cel/value.ts';
import { spend } from '../../cel/work.ts';
import { printable } from '../../schema/printable.ts';
import type { OutgoingAnswer, OutgoingHttp } from '../../services.ts';
import { EMPTY_BODY } from '../outcome.ts';
import type { FilledRequest, RequestPlan } from './plan.ts';
import { lastAttempt, type Attempt } from './result.ts';
import { callTarget } from './target.ts';

/** Bytes of an answer's body, decoded. */
export const MAX_ANSWER = 256 * 1024;
/**
 * What a call takes of the budget of its phase, besides what the rules of the called endpoint take: fifty calls for each
 * request of a visitor, however their policies call one another.
 */
export const CALL_UNITS = 20_000;
const MAX_RETRIES = 3;
/** Before the first retry; twice as long before each further one. */
const PAUSE_MS = 100;

/** @returns every try, the last one being what counts; a Failure when the phase may cost no more, or none of it matters */
export async function perform(
  plan: RequestPlan,
  request: FilledRequest,
  outgoing: OutgoingHttp,
  scope: Scope,
): Promise<readonly Attempt[] | Failure> {
  const { signal } = scope.context;
  const endsAt = performance.now() + plan.timeoutMs;
  const attempts: Attempt[] = [];
  for (;;) {
    const startedAt = performance.now();
    const answer = await follow(plan, request, outgoing, scope, endsAt);
    if (answer instanceof Failure) return answer;
    attempts.push({ request, answer, ms: performance.now() - startedAt });
    const again = wantsRetry(plan, attempts, scope);
    if (again instanceof Failure) return again;
    const pause = PAUSE_MS * 2 ** (attempts.length - 1);
    if (!again || signal.aborted || performance.now() + pause >= endsAt) return attempts;
    // Aborted, it ends at once.
    await rest(pause, undefined, { signal }).catch(() => {});
    if (signal.aborted) return attempts;
  }
}

function wantsRetry({ retry, path }: RequestPlan, attempts: readonly Attempt[], scope: Scope): boolean | Failure {
  const last = attempts.at(-1);
  if (retry === null || last === undefined || attempts.length > MAX_RETRIES) return false;
  const result = retry(scope, [BigInt(attempts.length), lastAttempt(last, scope)]);
  if (scope.budget < 0) return TOO_MANY_STEPS;
  if (typeof result === 'boolean' || result instanceof Fatal) return result;
  scope.context.warn(`${path}: retry_condition failed, so there was no retry: ${result.message}`);
  return false;
}

async function follow(
  plan: RequestPlan,
  request: FilledRequest,
  outgoing: OutgoingHttp,
  scope: Scope,
  endsAt: number,
): Promise<OutgoingAnswer | PosternError | Failure> {
  let current = request;
  for (let redirects = 0; ; redirects++) {
    const timeoutMs = endsAt - performance.now();
    if (timeoutMs <= 0) return fail(3602);
    if (!spend(scope, CALL_UNITS)) return TOO_MANY_STEPS;
    const answer = await outgoing.call({ ...current, timeoutMs, limit: MAX_ANSWER }, scope.context);
    if (isPosternError(answer)) return answer;
    // For what is made of it: text, headers as a map.
    if (!spend(scope, answer.body.length / 16 + answer.headers.length * 10)) return TOO_MANY_STEPS;
    const location = locationOf(answer);
    if (location === null) return answer;
    if (redirects >= plan.redirects) return fail(3214, { max: plan.redirects });
    const next = redirected(plan, current, answer.status, location);
    if (isPosternError(next)) return next;
    current = next;
  }
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

function locationOf({ status, headers }: OutgoingAnswer): string | null {
  if (!REDIRECTS.has(status)) return null;
  return headers.find(([name]) => name.toLowerCase() === 'location')?.[1] ?? null;
}

const OF_BODIES: ReadonlySet<string> = new Set(['content-encoding', 'content-language', 'content-type']);

/** RFC 9110 §15.4: 307 and 308 keep the method; of the others a POST becomes a GET, and 303 everything. */
function redirected(
  plan: RequestPlan,
  { method, url, headers, body }: FilledRequest,
  status: number,
  location: string,
): FilledRequest | PosternError {
  const target = callTarget(location, url);
  if ('problem' in target) {
    return fail(2226, {
      path: plan.path,
      value: printable(location),
      reason: `a redirect leads there, and ${target.problem}`,
    });
  }
  const became = status === 303 || (status <= 302 && method === 'POST');
  if (!became) return { method, url: target.href, headers, body };
  const kept = headers.filter(([name]) => !OF_BODIES.has(name));
  return { method: 'GET', url: target.href, headers: kept, body: EMPTY_BODY };
}
