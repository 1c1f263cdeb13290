/** Questions to a provider, and what comes of them as an error. */
import { fail, isPosternError, type PosternError } from '@postern/errors';
import { type Members } from '../actions/jwt-validation/token.ts';
import type { Asker, ProviderAnswer, ProviderProblem, ProviderRequest } from '../services.ts';
import { readMembers } from './members.ts';
import type { Visit } from './plan.ts';

export interface Answer {
  readonly status: number;
  readonly members: Members;
}

export function askerOf({ context }: Visit): Asker {
  return { endpoint: context.endpoint.id, address: context.conn.clientIp };
}

/** @returns a JSON object, whatever the status; 3160, 3161, 90064 */
export async function ask(visit: Visit, request: ProviderRequest): Promise<Answer | PosternError> {
  const answer = await raw(visit, request);
  if (isPosternError(answer)) return answer;
  const members = readMembers(answer.body);
  return members === null ? noUse(visit, 'is no JSON object') : { status: answer.status, members };
}

/** @returns the answer, unless the provider cannot answer at all */
export async function raw(visit: Visit, request: ProviderRequest): Promise<ProviderAnswer | PosternError> {
  const answer = await visit.context.services.providers.ask(request, askerOf(visit));
  if ('problem' in answer) return notAsked(visit, answer);
  if (answer.status === 429) return fail(3161);
  if (answer.status < 500) return answer;
  return notAsked(visit, { problem: `it answered ${answer.status}` });
}

export function notAsked({ plan, context }: Visit, { problem, busy }: ProviderProblem): PosternError {
  if (busy === true) return fail(3161);
  context.warn(`${plan.path}: the identity provider could not be asked: ${problem}`);
  return fail(3160);
}

/** @param reason words behind "what the provider answered" */
export function noUse({ plan, context }: Visit, reason: string): PosternError {
  context.warn(`${plan.path}: what the identity provider answered ${reason}`);
  return fail(90064, { reason });
}
