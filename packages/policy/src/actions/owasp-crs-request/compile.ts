import { fail } from '@postern/errors';
import type { ActionDefinition } from '../action.ts';
import { BODY_START, firewallAction, requestMessage, settle, settleVerdict, unjudged } from '../firewall.ts';
import { CLOSE } from '../outcome.ts';
import { owaspCrsRequestAction } from './schema.ts';

/** It does not say which rule it was: that would be a help with the next try. */
const BLOCKED = fail(3700);

/** Turns away what looks like an attack to the Core Rule Set. */
export const owaspCrsRequest: ActionDefinition = {
  descriptor: owaspCrsRequestAction,
  compile(config, env) {
    const action = firewallAction('owasp-crs-request', BLOCKED, config, env);
    const { excluded } = action;
    return {
      terminates: false,
      run(scope) {
        const { req, services, signal } = scope.context;
        const { firewall } = services;
        if (firewall === null || req === null) return settle(action, scope, unjudged('the server has no rules'), null);
        const message = requestMessage(scope.context, req);
        if (!action.processBody) {
          return settleVerdict(action, scope, (units) => firewall.judgeRequest(message, { excluded, units }));
        }
        return req.readBodyStart(BODY_START).then((body) => {
          if (signal.aborted) return CLOSE;
          if (typeof body === 'string')
            return settle(action, scope, unjudged(`its body could not be had (${body})`), null);
          const whole = { ...message, body: body.toString('latin1'), bodyCut: body.length === BODY_START };
          return settleVerdict(action, scope, (units) => firewall.judgeRequest(whole, { excluded, units }));
        });
      },
    };
  },
};
