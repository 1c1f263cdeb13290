import { createToken } from '@postern/store';
import { principalOf, readOwner } from '../principals.ts';
import type { HooksOf } from './hooks.ts';

/** Keys to this API. Every call reads its key from the store, so a deleted one stops working at once. */
export const apiKeys: HooksOf<'apiKeys'> = (core) => {
  return {
    async make(head, { description = '', metadata = '', ownerId }) {
      const { token, tokenHash } = createToken(head.id, core.randomBytes);
      const owner = await readOwner(core, head.accountId, ownerId);
      return { row: { ...head, description, metadata, ownerId: owner, tokenHash }, once: { token } };
    },
    change: (patch) => patch,
    async viewer(accountId) {
      const human = await principalOf(core, accountId, '');
      return ({ id, createdAt, description, metadata, ownerId }) => {
        return { id, createdAt, description, metadata, token: null, ownerId: ownerId || human };
      };
    },
  };
};
