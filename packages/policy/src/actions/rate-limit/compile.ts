import { fail } from '@postern/errors';
import { Failure } from '../../cel/value.ts';
import { readConfig } from '../../schema/problems.ts';
import type { CountLimit } from '../../services.ts';
import type { PolicyContext } from '../../runtime.ts';
import { GO_ON, type ActionDefinition, type Step } from '../action.ts';
import { failed, unevaluated } from '../outcome.ts';
import { bucketOf } from './bucket.ts';
import { RATE_STEP_MS, rateLimitAction, rateLimitSchema } from './schema.ts';

/** A window of a day in steps of ten seconds were 8,640 numbers a bucket: long windows have coarser slices. */
const MOST_SLICES = 60;

/**
 * Lets through so many requests a bucket within any window; what is refused is not counted. The count is the endpoint's,
 * under the action's name and window: it outlives an edit of the policy, and actions of one name and window share it.
 */
export const rateLimit: ActionDefinition = {
  descriptor: rateLimitAction,
  compile(config, env) {
    const { name, enforce, capacity, rate, bucket_key: key } = readConfig(rateLimitSchema, config, env.path);
    const parts = key.map((text, index) => env.expression(text, `.bucket_key[${index}]`));
    const limit: CountLimit = {
      set: `${rate} ${name}`,
      capacity,
      windowMs: rate,
      slices: Math.min(MOST_SLICES, rate / RATE_STEP_MS),
    };
    const judge = (context: PolicyContext, bucket: string, wait: number): Step => {
      // Never 0: who comes back within the same second finds the same.
      const seconds = Math.max(1, Math.ceil(wait / 1000));
      const error = wait === 0 ? null : fail(90037, { seconds });
      if (env.recorder.on) {
        env.recorder.record(context, () => ({
          bucket_key: bucket,
          limited: error !== null,
          error: { code: error?.code ?? '', message: error?.message ?? '' },
        }));
      }
      return error === null || !enforce ? GO_ON : failed(error, [['retry-after', String(seconds)]]);
    };
    return {
      terminates: false,
      run(scope) {
        const bucket = bucketOf(parts, scope);
        if (bucket instanceof Failure) return unevaluated(bucket);
        const { context } = scope;
        const wait = context.services.counters.take(context.endpoint.id, bucket, limit);
        if (typeof wait === 'number') return judge(context, bucket, wait);
        return wait.then((later) => judge(context, bucket, later));
      },
    };
  },
};
