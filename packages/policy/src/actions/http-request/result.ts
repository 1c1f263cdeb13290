/** What an action leaves at `actions.ngrok.http_request`, and what its retry condition sees of the last try. */
import { celMap, type CelInput } from '@bufbuild/cel';
import { isPosternError, type PosternError } from '@postern/errors';
import type { Scope } from '../../cel/scope.ts';
import { DYN, INT, STRING, type Shape } from '../../cel/shapes.ts';
import { Failure, fromPlain, type Value } from '../../cel/value.ts';
import { headerMap } from '../../cel/variables/header-map.ts';
import type { OutgoingAnswer } from '../../services.ts';
import type { FilledRequest } from './plan.ts';

export interface Attempt {
  readonly request: FilledRequest;
  /** Of where redirects have led. */
  readonly answer: OutgoingAnswer | PosternError;
  readonly ms: number;
}

export const RETRY_VARIABLES: ReadonlyMap<string, Shape> = new Map([
  ['attempts', INT],
  ['last_attempt', { type: 'map', key: STRING, item: DYN }],
]);

/** There is a `res` after an error, too, with a status of 0: conditions need not ask for it first. */
export function lastAttempt({ request, answer, ms }: Attempt, scope: Scope): Value {
  const error = isPosternError(answer) ? answer.code : '';
  return fromPlain({ req: requestValue(request, scope), res: answerValue(answer, ms, scope), error });
}

/** Made a value once, and not again by every expression that reads it. */
export function resultOf(attempts: readonly Attempt[], scope: Scope): Value {
  const last = attempts.at(-1);
  if (last === undefined) return null;
  const { request, answer, ms } = last;
  return fromPlain({
    error: errorValue(isPosternError(answer) ? answer : null),
    attempts: attempts.map((one) => ({
      response_header: headerValue(one.answer, scope),
      response_status_code: statusOf(one.answer),
      response_time_ms: shownMs(one.ms),
    })),
    req: requestValue(request, scope),
    res: answerValue(answer, ms, scope),
  });
}

/** Of a request that could not be made: conditions find the same fields. */
export function unmadeResult(error: PosternError, scope: Scope): Value {
  const req = { method: '', url: '', header: NO_HEADER, body: '' };
  return fromPlain({ error: errorValue(error), attempts: [], req, res: answerValue(error, 0, scope) });
}

const NO_HEADER: CelInput = celMap(new Map());

function errorValue(error: PosternError | null): object {
  return { code: error?.code ?? '', message: error?.message ?? '' };
}

function requestValue({ method, url, headers, body }: FilledRequest, scope: Scope): object {
  return { method, url, header: mapOf(headers, scope), body: body.toString('utf8') };
}

function answerValue(answer: OutgoingAnswer | PosternError, ms: number, scope: Scope): object {
  const status = statusOf(answer);
  return {
    header: headerValue(answer, scope),
    status_code: status,
    // As a sample of the documentation spells it.
    statusCode: status,
    time_ms: shownMs(ms),
    body: isPosternError(answer) ? '' : answer.body.toString('utf8'),
  };
}

function statusOf(answer: OutgoingAnswer | PosternError): number {
  return isPosternError(answer) ? 0 : answer.status;
}

function headerValue(answer: OutgoingAnswer | PosternError, scope: Scope): CelInput {
  return mapOf(isPosternError(answer) ? [] : answer.headers, scope);
}

/** Where the budget does not suffice for it, the phase ends before anybody reads this. */
function mapOf(headers: readonly (readonly [string, string])[], scope: Scope): CelInput {
  const map = headerMap({ size: headers.length, entries: () => headers }, scope);
  return map instanceof Failure ? NO_HEADER : map;
}

function shownMs(ms: number): string {
  return String(Math.round(ms));
}
