import { readConfig } from '../../schema/problems.ts';
import { GO_ON, type ActionDefinition } from '../action.ts';
import { removeHeadersAction, removeHeadersSchema } from './schema.ts';

/** Removes every line of the named headers from the request that goes upstream, or from the response. */
export const removeHeaders: ActionDefinition = {
  descriptor: removeHeadersAction,
  compile(config, env) {
    const onRequest = env.phase === 'on_http_request';
    const schema = onRequest ? removeHeadersSchema.on_http_request : removeHeadersSchema.on_http_response;
    const names = readConfig(schema, config, env.path).headers.map((name) => name.toLowerCase());
    return {
      terminates: false,
      run(scope) {
        const headers = onRequest ? scope.context.req?.headers : scope.context.res?.headers;
        if (headers === undefined) return GO_ON;
        if (!env.recorder.on) {
          for (const name of names) headers.delete(name);
          return GO_ON;
        }
        const removed = names.filter((name) => headers.delete(name));
        env.recorder.record(scope.context, () => ({ headers_removed: removed }));
        return GO_ON;
      },
    };
  },
};
