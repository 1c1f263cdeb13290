/** Outcomes that actions give back. */
import { fail, type PosternError } from '@postern/errors';
import { Fatal, type Failure } from '../cel/value.ts';
import type { Outcome } from '../runtime.ts';

export const NO_HEADERS: readonly (readonly [string, string])[] = Object.freeze([]);
export const EMPTY_BODY: Buffer = Buffer.alloc(0);
export const CLOSE: Outcome = Object.freeze({ kind: 'close' });
export const CONTINUE: Outcome = Object.freeze({ kind: 'continue' });

export function failed(error: PosternError, headers = NO_HEADERS): Outcome {
  return { kind: 'error', error, headers };
}

/** A bare expression that has no value, where an action needs one. */
export function unevaluated(failure: Failure): Outcome {
  if (failure instanceof Fatal) return failed(failure.toError());
  return failed(fail(2254, { reason: failure.message }));
}

/** A `${…}` that could not be filled in. */
export function unfilled(failure: Failure): Outcome {
  if (failure instanceof Fatal) return failed(failure.toError());
  return failed(fail(2238, { reason: failure.message }));
}
