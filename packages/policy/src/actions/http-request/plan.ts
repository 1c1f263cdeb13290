/** What an action's config says about its request, and the request that it makes of it for a visitor's. */
import { fail, type PosternError } from '@postern/errors';
import { TOO_MANY_STEPS } from '../../cel/limits.ts';
import type { Scope } from '../../cel/scope.ts';
import { Failure } from '../../cel/value.ts';
import { spend } from '../../cel/work.ts';
import type { Template } from '../../interpolation/template.ts';
import { printable } from '../../schema/printable.ts';
import type { OutgoingRequest } from '../../services.ts';
import type { Condition } from '../action.ts';
import { renderHeaders, type HeaderTemplate } from '../headers.ts';
import { EMPTY_BODY } from '../outcome.ts';
import { callTarget } from './target.ts';

export interface RequestPlan {
  /** Of the action's url, for errors. */
  readonly path: string;
  readonly method: string;
  readonly url: Template;
  readonly query: readonly (readonly [key: Template, value: Template])[];
  readonly headers: readonly HeaderTemplate[];
  readonly body: Template;
  readonly redirects: number;
  /** For all tries together. */
  readonly timeoutMs: number;
  readonly retry: Condition | null;
}

/** Everything of a request but the time that it has. */
export type FilledRequest = Omit<OutgoingRequest, 'timeoutMs' | 'limit'>;

/** @returns a Failure where an expression gives nothing that can be sent; an error where it leads elsewhere */
export function fillRequest(plan: RequestPlan, scope: Scope): FilledRequest | Failure | PosternError {
  const written = plan.url.require(scope);
  if (written instanceof Failure) return written;
  const query = queryOf(plan, scope);
  if (query instanceof Failure) return query;
  const headers = renderHeaders(plan.headers, scope);
  if (headers instanceof Failure) return headers;
  const body = plan.body.render(scope);
  if (body instanceof Failure) return body;
  if (!spend(scope, (written.length + query.length) / 4 + body.length / 16)) return TOO_MANY_STEPS;
  const target = callTarget(written);
  if ('problem' in target) {
    return fail(2226, { path: plan.path, value: printable(written), reason: target.problem });
  }
  // Not by URLSearchParams, which would write what is there in another way.
  if (query !== '') target.search = target.search === '' ? query : `${target.search}&${query}`;
  return {
    method: plan.method,
    url: target.href,
    headers,
    body: body === '' ? EMPTY_BODY : Buffer.from(body, 'utf8'),
  };
}

function queryOf({ query }: RequestPlan, scope: Scope): string | Failure {
  const pairs: string[] = [];
  for (const [key, value] of query) {
    const name = key.render(scope);
    if (name instanceof Failure) return name;
    const text = value.render(scope);
    if (text instanceof Failure) return text;
    pairs.push(`${escaped(name)}=${escaped(text)}`);
  }
  return pairs.join('&');
}

function escaped(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
