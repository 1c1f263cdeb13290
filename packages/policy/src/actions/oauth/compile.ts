import { compileLogin } from '../../logins/compile.ts';
import { readConfig } from '../../schema/problems.ts';
import type { ActionDefinition } from '../action.ts';
import { known } from './known.ts';
import { PROVIDERS } from './providers.ts';
import { oauthAction, oauthSchema } from './schema.ts';

/** Lets in whoever one of the large providers knows, and sends everybody else there. */
export const oauth: ActionDefinition = {
  descriptor: oauthAction,
  compile(config, env) {
    const read = readConfig(oauthSchema, config, env.path);
    const { provider } = read;
    if (read.client_id === '') env.refer('login-app', provider, '.provider');
    const scopes = read.scopes.length > 0 ? read.scopes : PROVIDERS[provider].scopes;
    return compileLogin('oauth', known(provider, scopes), scopes, read, env);
  },
};
