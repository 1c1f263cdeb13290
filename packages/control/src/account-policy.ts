import { fail } from '@postern/errors';
import type { PolicyReference } from '@postern/policy';
import type { PolicyRules } from './config.ts';
import type { Core } from './core.ts';

const UNKNOWN: { readonly [Kind in PolicyReference['kind']]: (reference: PolicyReference) => Error } = {
  'ip-policy': ({ path, id }) => fail(2216, { path, id }),
  'certificate-authority': ({ path, id }) =>
    fail(2204, { path, reason: `there is no certificate authority ${id} in this account` }),
};

/** The policy language for one account: what a policy refers to must be the account's. */
export function accountPolicy(core: Core, accountId: string): PolicyRules {
  const { policy, catalog } = core;
  return {
    ...policy,
    check(text, options) {
      const references = policy.check(text, options);
      for (const reference of references) {
        if (catalog.resources.get(reference.id)?.accountId !== accountId) throw UNKNOWN[reference.kind](reference);
      }
      return references;
    },
  };
}
