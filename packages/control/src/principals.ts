import { fail } from '@postern/errors';
import type { Core } from './core.ts';

/** Who acts with a credential: its bot user, or the account's human when `ownerId` is ''. */
export async function principalOf(core: Core, accountId: string, ownerId: string): Promise<string> {
  if (ownerId !== '') return ownerId;
  const account = (await core.store.accounts()).find(({ id }) => id === accountId);
  return account?.ownerUserId ?? '';
}

/** 636: credentials of a bot user that was set inactive do not work. */
export async function requireActiveOwner(core: Core, ownerId: string): Promise<void> {
  if (ownerId === '') return;
  const owner = await core.store.botUsers.get(ownerId);
  if (owner?.active !== true) throw fail(636, { owner: ownerId });
}

/**
 * `owner_id` of a create call as rows keep it: '' for the account's human. Service users are the same store under
 * another name, so their prefix is taken too (api.md §6).
 * @throws 223 when there is no such user
 */
export async function readOwner(core: Core, accountId: string, ownerId: string | undefined): Promise<string> {
  if (ownerId === undefined || ownerId === '') return '';
  if (ownerId === (await principalOf(core, accountId, ''))) return '';
  const owner = await core.store.botUsers.get(ownerId.replace(/^service_/, 'bot_'));
  if (owner?.accountId !== accountId) throw fail(223, { field: 'owner_id', id: ownerId });
  return owner.id;
}
