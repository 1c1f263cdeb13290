/** From the config of an action that logs visitors in to what runs. */
import { createHash } from 'node:crypto';
import { fail } from '@postern/errors';
import type { ActionEnv, CompiledAction } from '../actions/action.ts';
import { login } from './flow.ts';
import type { LoginPlan, Provider } from './plan.ts';

/** As `schema.ts` reads them; durations in milliseconds. */
export interface LoginConfig {
  readonly auth_id: string;
  readonly client_id: string;
  readonly client_secret: string;
  readonly authz_url_params: Readonly<Record<string, string>>;
  readonly max_session_duration: number;
  readonly idle_session_timeout?: number | undefined;
  readonly userinfo_refresh_interval?: number | undefined;
  readonly allow_cors_preflight: boolean;
  readonly auth_cookie_domain: string;
}

export function compileLogin(
  type: LoginPlan['type'],
  provider: Provider,
  scopes: readonly string[],
  config: LoginConfig,
  env: ActionEnv,
): CompiledAction {
  const { auth_id: authId, client_id: id, client_secret: secret } = config;
  if (!env.claimLogin(authId)) throw fail(2239, { path: env.path });
  const params = Object.entries(config.authz_url_params);
  const scope = scopes.join(' ');
  const plan: LoginPlan = {
    type,
    path: env.path,
    provider,
    authId,
    client: id === '' ? null : { id: env.template(id, '.client_id'), secret: env.template(secret, '.client_secret') },
    scope,
    params,
    maxMs: config.max_session_duration,
    idleMs: config.idle_session_timeout ?? Infinity,
    refreshMs: config.userinfo_refresh_interval ?? Infinity,
    allowsPreflight: config.allow_cors_preflight,
    cookieDomain: config.auth_cookie_domain,
    fingerprint: createHash('sha256')
      .update(JSON.stringify([scope, params]))
      .digest('base64url')
      .slice(0, 16),
    recorder: env.recorder,
  };
  return { terminates: false, run: (run) => login(plan, run) };
}
