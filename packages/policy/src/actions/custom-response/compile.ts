import { fail } from '@postern/errors';
import { Failure } from '../../cel/value.ts';
import type { Outcome } from '../../runtime.ts';
import { readConfig } from '../../schema/problems.ts';
import type { ActionDefinition, RunAction } from '../action.ts';
import { constantHeaders, headerTemplates, refuseBody, renderHeaders, type HeaderLine } from '../headers.ts';
import { EMPTY_BODY, failed, unfilled } from '../outcome.ts';
import { inferContentType } from './content-type.ts';
import { customResponseAction, customResponseSchema } from './schema.ts';

/**
 * Answers by itself. In `on_http_response` it replaces what the upstream answered. A response in which nothing depends
 * on the request is built once, with the policy.
 */
export const customResponse: ActionDefinition = {
  descriptor: customResponseAction,
  compile(config, env) {
    const parsed = readConfig(customResponseSchema, config, env.path);
    if (parsed.body !== undefined && parsed.content !== undefined && parsed.body !== parsed.content) {
      throw fail(2203, {
        path: `${env.path}.content`,
        reason: '"content" is the older name of "body"; give one of them',
      });
    }
    const field = parsed.body === undefined ? '.content' : '.body';
    const status = parsed.status_code;
    const headers = headerTemplates(parsed.headers ?? {}, env);
    const body = env.template(parsed.body ?? parsed.content ?? '', field);
    const bodiless = refuseBody(status);
    if (bodiless && body.text !== '') {
      throw fail(2204, { path: `${env.path}${field}`, reason: `a response with status ${status} has no body` });
    }
    const typed = bodiless || headers.some(([name]) => name === 'content-type');
    const fixed = constantHeaders(headers);
    if (fixed !== null && body.text !== null) {
      const made = respond(status, fixed, body.text, typed);
      const answer: Outcome = made.kind === 'respond' ? { ...made, constant: true } : made;
      return { run: () => answer, terminates: true };
    }
    const run: RunAction = (scope) => {
      const lines = renderHeaders(headers, scope);
      if (lines instanceof Failure) return unfilled(lines);
      const text = body.render(scope);
      return text instanceof Failure ? unfilled(text) : respond(status, lines, text, typed);
    };
    return { run, terminates: true };
  },
};

function respond(status: number, headers: readonly HeaderLine[], text: string, typed: boolean): Outcome {
  if (status < 200) return failed(fail(3604, { status }));
  const all = typed || text === '' ? headers : [...headers, ['content-type', inferContentType(text)] as const];
  return { kind: 'respond', status, headers: all, body: text === '' ? EMPTY_BODY : Buffer.from(text, 'utf8') };
}
