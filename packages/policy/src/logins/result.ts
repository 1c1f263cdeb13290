/** What `actions.ngrok.oauth`, `.oidc` and `.saml` hold (traffic-policy.md §4). */
import type { PosternError } from '@postern/errors';
import { fromPlain } from '../cel/value.ts';
import type { PolicyContext } from '../runtime.ts';
import { personOf } from './tell-control.ts';
import type { SessionPlan } from './plan.ts';
import type { Session } from './session.ts';

export interface Facts {
  readonly session: Session | null;
  readonly error: PosternError | null;
  readonly timedOut: boolean;
  readonly reachedMaximum: boolean;
  readonly refreshed: boolean;
}

export const NO_FACTS: Facts = {
  session: null,
  error: null,
  timedOut: false,
  reachedMaximum: false,
  refreshed: false,
};

export function record(plan: SessionPlan, context: PolicyContext, facts: Facts): void {
  if (plan.recorder.on) plan.recorder.record(context, () => fromPlain(resultOf(plan, context, facts)));
}

function resultOf(plan: SessionPlan, context: PolicyContext, facts: Facts): object {
  const { session, error, timedOut, reachedMaximum, refreshed } = facts;
  const ended = {
    error: { code: error?.code ?? '', message: error?.message ?? '' },
    session_timed_out: timedOut,
    session_max_duration_reached: reachedMaximum,
  };
  const common = {
    ...ended,
    access_token: session?.tokens.access ?? '',
    refresh_token: session?.tokens.refresh ?? '',
    expires_at: dateOf(session?.tokens.expiresAt ?? 0),
    userinfo_refreshed: refreshed,
  };
  const person = {
    id: session === null ? '' : personOf({ plan, context }, session),
    email: session?.identity.email ?? '',
    name: session?.identity.name ?? '',
    provider_user_id: session?.identity.subject ?? '',
  };
  const id = session?.id ?? '';
  if (plan.type === 'saml') {
    return { ...ended, identity: { ...person, groups: session?.groups ?? [], current_session_id: id } };
  }
  if (plan.type === 'oauth') return { ...common, identity: { ...person, current_provider_session_id: id } };
  return {
    ...common,
    identity_token: session?.tokens.identity ?? '',
    // The documentation has it both ways.
    user_info_refreshed: refreshed,
    identity: { ...person, current_session_id: id },
  };
}

function dateOf(ms: number): string {
  return ms === 0 ? '' : new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
