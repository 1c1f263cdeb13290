import { isPosternError } from '@postern/errors';
import { Failure } from '../../cel/value.ts';
import { readConfig } from '../../schema/problems.ts';
import { GO_ON, type ActionDefinition } from '../action.ts';
import { unreadBody } from '../body.ts';
import { compileReplacements, resultOf } from '../find-replace.ts';
import { failed, unfilled } from '../outcome.ts';
import { holdsText, rewriteBody, type Message } from '../rewrite-body.ts';
import { requestBodyFindReplaceAction, requestBodyFindReplaceSchema } from './schema.ts';

/** Replaces what patterns match in the body of a request, before the service sees any of it. */
export const requestBodyFindReplace: ActionDefinition = {
  descriptor: requestBodyFindReplaceAction,
  compile(config, env) {
    const { replacements } = readConfig(requestBodyFindReplaceSchema, config, env.path);
    const prepare = compileReplacements(replacements, env);
    return {
      terminates: false,
      async run(scope) {
        const { context } = scope;
        const { req } = context;
        if (req === null) return GO_ON;
        const ready = prepare(scope);
        if (ready instanceof Failure) return unfilled(ready);
        const { headers } = req;
        const message: Message = {
          headers,
          encoded: true,
          readBody: (limit) => req.readBody(limit),
          reserve: (bytes) => req.reserve(bytes),
          replaceBody: (body) => req.replaceBody(body),
        };
        const found =
          req.contentLength === 0 || !holdsText(headers) ? [] : await rewriteBody(message, ready, scope, unreadBody);
        if (isPosternError(found)) return failed(found);
        if (env.recorder.on) env.recorder.record(context, () => resultOf(found));
        return GO_ON;
      },
    };
  },
};
