import { fail } from '@postern/errors';
import { readConfig } from '../../schema/problems.ts';
import type { ActionDefinition } from '../action.ts';
import { saml as run, type SamlPlan } from './flow.ts';
import { readMetadata } from './metadata.ts';
import { samlAction, samlSchema } from './schema.ts';

/** Lets in whoever a SAML 2.0 identity provider knows, and sends everybody else there. */
export const saml: ActionDefinition = {
  descriptor: samlAction,
  compile(config, env) {
    const read = readConfig(samlSchema, config, env.path);
    if (!env.claimLogin(read.auth_id)) throw fail(2239, { path: env.path });
    const idp = readMetadata(read.idp_metadata);
    if (typeof idp === 'string') throw fail(2204, { path: `${env.path}.idp_metadata`, reason: `it ${idp}` });
    const plan: SamlPlan = {
      type: 'saml',
      path: env.path,
      provider: { name: idp.entityId },
      idp,
      authId: read.auth_id,
      maxMs: read.maximum_duration ?? read.max_session_duration,
      idleMs: read.idle_session_timeout ?? read.inactivity_timeout ?? Infinity,
      allowsPreflight: read.options_passthrough ?? read.allow_cors_preflight,
      cookieDomain: read.auth_cookie_domain,
      recorder: env.recorder,
      forceAuthn: read.force_authn,
      allowsUnasked: read.allow_idp_initiated,
      groups: new Set(read.authorized_groups),
      nameIdFormat: read.nameid_format,
    };
    return { terminates: false, run: (scope) => run(plan, scope) };
  },
};
