import { fail } from '@postern/errors';
import { readConfig } from '../../schema/problems.ts';
import type { BreakerLimit, BreakerPass } from '../../services.ts';
import type { ExchangeEnd, RequestView } from '../../runtime.ts';
import { GO_ON, type ActionDefinition, type Step } from '../action.ts';
import { failed } from '../outcome.ts';
import { circuitBreakerAction, circuitBreakerSchema, SLICES } from './schema.ts';

/**
 * Spares a service that fails: when enough of the requests of a window did, none comes to it for a while, then one that
 * tries. What is counted is the endpoint's, under the action's place and limits.
 */
export const circuitBreaker: ActionDefinition = {
  descriptor: circuitBreakerAction,
  compile(config, env) {
    const {
      error_threshold: errorShare,
      volume_threshold: volume,
      window_duration: windowMs,
      tripped_duration: trippedMs,
      enforce,
    } = readConfig(circuitBreakerSchema, config, env.path);
    const limit: BreakerLimit = {
      name: `${env.path} ${errorShare} ${volume} ${windowMs} ${trippedMs}`,
      errorShare,
      volume,
      windowMs,
      slices: SLICES,
      trippedMs,
    };
    const judge = (req: RequestView, pass: BreakerPass | null): Step => {
      if (pass === null) return enforce ? failed(fail(3202)) : GO_ON;
      req.onEnd((end) => pass.leave(verdictOf(end)));
      return GO_ON;
    };
    return {
      terminates: false,
      run(scope) {
        const { req, services, endpoint } = scope.context;
        if (req === null) return GO_ON;
        const pass = services.breakers.enter(endpoint.id, limit);
        return pass instanceof Promise ? pass.then((later) => judge(req, later)) : judge(req, pass);
      },
    };
  },
};

/** Who leaves before an answer says nothing about the service. */
function verdictOf({ status, reason }: ExchangeEnd): 'failed' | 'fine' | 'unknown' {
  if (status >= 500 || reason.startsWith('upstream-')) return 'failed';
  return status === 0 ? 'unknown' : 'fine';
}
