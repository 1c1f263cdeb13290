/** Bodies that an action needs before it can say anything. */
import { fail, type PosternError } from '@postern/errors';
import type { BodyProblem } from '../runtime.ts';

/** Why an action has no body, for whoever sent it. */
export function unreadBody(problem: BodyProblem, limit: number): PosternError {
  if (problem === 'too-large') return fail(3902, { max: limit });
  if (problem === 'too-slow') return fail(90060);
  // One that has gone on to a service was not kept, or its visitor has left.
  return fail(3903);
}

/** The same of an answer, for the visitor who waits for it. */
export function unreadAnswer(problem: BodyProblem, limit: number): PosternError {
  if (problem === 'too-large') return fail(90080, { max: limit });
  return problem === 'too-slow' ? fail(90081) : fail(3903);
}
