import { isPosternError } from '@postern/errors';
import { Failure } from '../../cel/value.ts';
import type { RequestView, ResponseView } from '../../runtime.ts';
import { readConfig } from '../../schema/problems.ts';
import { GO_ON, type ActionDefinition } from '../action.ts';
import { unreadAnswer } from '../body.ts';
import { compileReplacements, resultOf } from '../find-replace.ts';
import { failed, unfilled } from '../outcome.ts';
import { holdsText, rewriteBody, type Message } from '../rewrite-body.ts';
import { responseBodyFindReplaceAction, responseBodyFindReplaceSchema } from './schema.ts';

/** Replaces what patterns match in the body of an answer, before the visitor sees any of it. */
export const responseBodyFindReplace: ActionDefinition = {
  descriptor: responseBodyFindReplaceAction,
  compile(config, env) {
    const { replacements } = readConfig(responseBodyFindReplaceSchema, config, env.path);
    const prepare = compileReplacements(replacements, env);
    return {
      terminates: false,
      async run(scope) {
        const { context } = scope;
        const { req, res } = context;
        if (req === null || res === null) return GO_ON;
        const ready = prepare(scope);
        if (ready instanceof Failure) return unfilled(ready);
        const message: Message = {
          headers: res.headers,
          encoded: !res.encodes,
          readBody: (limit) => res.readBody(limit),
          reserve: (bytes) => res.reserve(bytes),
          replaceBody: (body) => res.replaceBody(body),
        };
        const found = hasText(req, res) ? await rewriteBody(message, ready, scope, unreadAnswer) : [];
        if (isPosternError(found)) return failed(found);
        if (env.recorder.on) env.recorder.record(context, () => resultOf(found));
        return GO_ON;
      },
    };
  },
};

function hasText(req: RequestView, { statusCode, contentLength, headers }: ResponseView): boolean {
  if (req.method === 'HEAD' || statusCode < 200 || statusCode === 204 || statusCode === 304) return false;
  return contentLength !== 0 && holdsText(headers);
}
