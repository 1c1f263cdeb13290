import { fail } from '@postern/errors';
import { Failure } from '../../cel/value.ts';
import type { Outcome } from '../../runtime.ts';
import { readConfig } from '../../schema/problems.ts';
import type { ActionDefinition, CompiledAction, RunAction } from '../action.ts';
import { failed, unfilled } from '../outcome.ts';
import { forwardInternalAction, forwardInternalSchema } from './schema.ts';
import { forwardTarget } from './target.ts';
import { printable } from '../../schema/printable.ts';

/**
 * Hands the connection or request to an internal endpoint. With `on_error: continue`, a forward that failed leaves its
 * error at `actions.ngrok.forward_internal` and the rule goes on behind it.
 */
export const forwardInternal: ActionDefinition = {
  descriptor: forwardInternalAction,
  compile(config, env) {
    const { url: written, on_error: onError } = readConfig(forwardInternalSchema, config, env.path);
    if (env.phase === 'on_tcp_connect' && (env.protocol === 'http' || env.protocol === 'https')) {
      throw fail(90032, { path: env.path });
    }
    const template = env.template(written, '.url');
    const path = `${env.path}.url`;
    let run: RunAction;
    if (template.text === null) {
      run = (scope) => {
        const url = template.require(scope);
        if (url instanceof Failure) return unfilled(url);
        const target = forwardTarget(url, env.phase, env.protocol);
        if ('problem' in target) return failed(fail(2226, { path, value: printable(url), reason: target.problem }));
        return { kind: 'forward', to: target, onError };
      };
    } else {
      const target = forwardTarget(template.text, env.phase, env.protocol);
      if ('problem' in target) throw fail(2226, { path, value: template.text, reason: target.problem });
      const outcome: Outcome = Object.freeze({ kind: 'forward', to: target, onError });
      run = () => outcome;
    }
    const compiled: CompiledAction = { run, terminates: onError === 'halt' };
    if (onError === 'halt') return compiled;
    return {
      ...compiled,
      forwardFailed(scope, code, message) {
        const url = template.render(scope);
        env.recorder.record(scope.context, () => ({
          url: url instanceof Failure ? '' : url,
          error: { code, message },
        }));
      },
    };
  },
};
