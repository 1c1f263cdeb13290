import { fail } from '@postern/errors';
import type { Scope } from '../../cel/scope.ts';
import { Failure } from '../../cel/value.ts';
import type { Budgeted } from '../../cel/work.ts';
import type { Outcome } from '../../runtime.ts';
import { isHeaderValue } from '../../schema/headers.ts';
import { readConfig } from '../../schema/problems.ts';
import { GO_ON, type ActionDefinition, type Step } from '../action.ts';
import {
  constantHeaders,
  headerTemplates,
  headerValue,
  renderHeaders,
  type HeaderLine,
  type HeaderTemplate,
} from '../headers.ts';
import { EMPTY_BODY, unfilled } from '../outcome.ts';
import { rewrittenUrl, type UrlMaker } from '../rewritten-url.ts';
import { redirectAction, redirectSchema } from './schema.ts';

/**
 * Sends the visitor elsewhere: to the request's URL with what matches `from` replaced, where that makes another one, or
 * without `from` always to `to`.
 */
export const redirect: ActionDefinition = {
  descriptor: redirectAction,
  compile(config, env) {
    const {
      from,
      to: written,
      status_code: status,
      headers: fields = {},
    } = readConfig(redirectSchema, config, env.path);
    const path = `${env.path}.to`;
    if (from === undefined && written === '') throw fail(2223, { path });
    const to = env.template(written, '.to');
    if (to.text !== null && !isHeaderValue(to.text)) throw fail(2211, { path, name: 'location' });
    // Compared as it would be sent: what is the same URL then would lead the visitor back for ever.
    const target: UrlMaker =
      from === undefined
        ? (scope) => to.render(scope)
        : rewrittenUrl(from, to, env, (url, scope) => headerValue('location', url, scope));
    const headers = headerTemplates(fields, env);
    const lines = constantHeaders(headers);
    const fixed =
      from === undefined && lines !== null && to.text !== null ? away(to.text, status, lines, AT_ONCE) : null;
    return {
      terminates: from === undefined,
      run(scope) {
        const matches: string[] | null = env.recorder.on ? [] : null;
        const step = fixed ?? decide(target(scope, matches), status, headers, scope);
        if (matches !== null) env.recorder.record(scope.context, () => result(matches, step));
        return step;
      },
    };
  },
};

function decide(url: ReturnType<UrlMaker>, status: number, headers: readonly HeaderTemplate[], scope: Scope): Step {
  if (url === null) return GO_ON;
  if (url instanceof Failure) return unfilled(url);
  const lines = renderHeaders(headers, scope);
  return lines instanceof Failure ? unfilled(lines) : away(url, status, lines, scope);
}

/** What is made with the policy costs no request anything. */
const AT_ONCE: Budgeted = { budget: Infinity };
const NOWHERE = new Failure('a redirect leads to no URL');

function away(url: string, status: number, lines: readonly HeaderLine[], scope: Budgeted): Outcome {
  // An empty reference is the page itself: the visitor would come back for ever.
  const location = url === '' ? NOWHERE : headerValue('location', url, scope);
  if (location instanceof Failure) return unfilled(location);
  return { kind: 'respond', status, headers: [['location', location], ...lines], body: EMPTY_BODY };
}

function result(matches: readonly string[], step: Step): object {
  const error = step?.kind === 'error' ? step.error : null;
  return {
    matches,
    url: step?.kind === 'respond' ? (step.headers[0]?.[1] ?? '') : '',
    error: { code: error?.code ?? '', message: error?.message ?? '' },
  };
}
