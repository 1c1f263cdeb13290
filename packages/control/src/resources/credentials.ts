import { fail } from '@postern/errors';
import { createToken } from '@postern/store';
import { endSessionsOf } from '../bootstrap.ts';
import { principalOf, readOwner } from '../principals.ts';
import { parseAclRule } from '../rules/acl.ts';
import type { HooksOf } from './hooks.ts';

/** Authtokens of agents (api.md §6, credentials). The token is shown by the create call only. */
export const credentials: HooksOf<'credentials'> = (core) => {
  return {
    check({ acl = [] }) {
      for (const rule of acl) if (parseAclRule(rule) === null) throw fail(600, { rule });
    },
    async make(head, { description = '', metadata = '', ownerId, acl = [] }) {
      const { token, tokenHash } = createToken(head.id, core.randomBytes);
      const owner = await readOwner(core, head.accountId, ownerId);
      const row = { ...head, description, metadata, ownerId: owner, acl, tokenHash, isDefault: false };
      return { row, once: { token } };
    },
    /** A changed ACL counts from the next bind on. */
    change: (patch) => patch,
    async viewer(accountId) {
      const human = await principalOf(core, accountId, '');
      return ({ id, createdAt, description, metadata, acl, ownerId }) => {
        return { id, createdAt, description, metadata, token: null, acl, ownerId: ownerId || human };
      };
    },
    usedBy: { users: ({ isDefault }) => (isDefault ? ['the demo'] : []), error: ({ id }) => fail(601, { id }) },
    farewell: ({ accountId, id }) => ({
      afterwards: () => endSessionsOf(core, accountId, id, fail(300).message),
    }),
  };
};
