import { Failure } from '../../cel/value.ts';
import type { Scope } from '../../cel/scope.ts';
import { readConfig } from '../../schema/problems.ts';
import { GO_ON, type ActionDefinition, type Step } from '../action.ts';
import { constantHeaders, headerTemplates, renderHeaders, type HeaderLine } from '../headers.ts';
import { unfilled } from '../outcome.ts';
import { addHeadersAction, addHeadersSchema } from './schema.ts';

/**
 * Adds lines to the request that goes upstream, or to the response that goes to the visitor. A header that is there
 * already gets a second line; only a request's `host` is replaced.
 */
export const addHeaders: ActionDefinition = {
  descriptor: addHeadersAction,
  compile(config, env) {
    const onRequest = env.phase === 'on_http_request';
    const schema = onRequest ? addHeadersSchema.on_http_request : addHeadersSchema.on_http_response;
    const templates = headerTemplates(readConfig(schema, config, env.path).headers, env);
    const fixed = constantHeaders(templates);
    const add = (scope: Scope, lines: readonly HeaderLine[]): Step => {
      const headers = onRequest ? scope.context.req?.headers : scope.context.res?.headers;
      if (headers === undefined) return GO_ON;
      for (const [name, value] of lines) {
        if (onRequest && name === 'host') headers.set(name, value);
        else headers.append(name, value);
      }
      if (env.recorder.on) {
        env.recorder.record(scope.context, () => ({ headers_added: Object.fromEntries(lines) }));
      }
      return GO_ON;
    };
    if (fixed !== null) return { run: (scope) => add(scope, fixed), terminates: false };
    return {
      terminates: false,
      run(scope) {
        const lines = renderHeaders(templates, scope);
        return lines instanceof Failure ? unfilled(lines) : add(scope, lines);
      },
    };
  },
};
