import { fail } from '@postern/errors';
import type { PolicyReference } from '@postern/policy';
import type { PolicyRules } from './config.ts';
import type { Core } from './core.ts';

const UNKNOWN: { readonly [Kind in PolicyReference['kind']]: (reference: PolicyReference) => Error } = {
  'ip-policy': ({ path, id }) => fail(2216, { path, id }),
  'certificate-authority': ({ path, id }) =>
    fail(2204, { path, reason: `there is no certificate authority ${id} in this account` }),
  'login-app': ({ path, id }) => fail(5535, { path, provider: id }),
};

/** The policy language for one account: what a policy refers to must be the account's, or this server's. */
export function accountPolicy(core: Core, accountId: string): PolicyRules {
  const { policy, catalog, config } = core;
  return {
    ...policy,
    check(text, options) {
      const references = policy.check(text, options);
      for (const reference of references) {
        const isThere =
          reference.kind === 'login-app'
            ? config.loginApps.includes(reference.id)
            : catalog.resources.get(reference.id)?.accountId === accountId;
        if (!isThere) throw UNKNOWN[reference.kind](reference);
      }
      return references;
    },
  };
}
