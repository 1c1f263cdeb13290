import { readConfig } from '../../schema/problems.ts';
import { compileLogin } from '../../logins/compile.ts';
import type { ActionDefinition } from '../action.ts';
import { discovered } from './discovered.ts';
import { openidConnectAction, openidConnectSchema } from './schema.ts';

/** Lets in whoever an OpenID Connect provider knows, and sends everybody else there. */
export const openidConnect: ActionDefinition = {
  descriptor: openidConnectAction,
  compile(config, env) {
    const read = readConfig(openidConnectSchema, config, env.path);
    // Without it the provider would speak OAuth alone, and say nothing of who it is.
    const scopes = read.scopes.includes('openid') ? read.scopes : ['openid', ...read.scopes];
    const idle = read.idle_session_timeout ?? read.idle_session_duration;
    const provider = discovered(read.issuer_url, scopes);
    return compileLogin('openid-connect', provider, scopes, { ...read, idle_session_timeout: idle }, env);
  },
};
