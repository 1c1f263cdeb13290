import { fail } from '@postern/errors';
import type { ApiKeyRow, BotUserRow, CredentialRow } from '@postern/store';
import { endSessionsOf } from '../bootstrap.ts';
import type { Core } from '../core.ts';
import type { BotUserCreate, BotUserView, ResourceService } from '../types.ts';
import { listQuery, ownedBy, pageOf } from './paging.ts';

/** Users that are programs. What they own works while they are active and goes with them. */
export function createBotUsers(core: Core): ResourceService<BotUserView, BotUserCreate, BotUserCreate> {
  const { store } = core;

  async function owned(accountId: string, botId: string): Promise<readonly [CredentialRow[], ApiKeyRow[]]> {
    return Promise.all([
      store.credentials.list({ accountId }).then((rows) => rows.filter(({ ownerId }) => ownerId === botId)),
      store.apiKeys.list({ accountId }).then((rows) => rows.filter(({ ownerId }) => ownerId === botId)),
    ]);
  }

  async function endSessions(accountId: string, credentials: readonly CredentialRow[], reason: string): Promise<void> {
    for (const { id } of credentials) await endSessionsOf(core, accountId, id, reason);
  }

  return {
    async create(caller, { name = '', active = true }) {
      if (name === '') throw fail(18015, { field: 'name' });
      const { accountId } = caller;
      const row: BotUserRow = { id: core.ids.next('bot'), accountId, createdAt: core.timestamp(), name, active };
      await store.commit([store.botUsers.insert(row)]);
      return view(row);
    },

    async get(caller, id) {
      const row = ownedBy(await store.botUsers.get(id), caller.accountId);
      return row === null ? null : view(row);
    },

    async list(caller, query) {
      return pageOf(await store.botUsers.list(listQuery(caller.accountId, query)), query.limit, view);
    },

    async update(caller, id, patch) {
      const row = ownedBy(await store.botUsers.get(id), caller.accountId);
      if (row === null) return null;
      const { name = row.name, active = row.active } = patch;
      if (name === '') throw fail(18014, { field: 'name', reason: 'it may not be empty' });
      await store.commit([store.botUsers.update(id, { name, active })]);
      if (!active && row.active) {
        const [credentials] = await owned(caller.accountId, id);
        await endSessions(caller.accountId, credentials, 'the owner of the authtoken is inactive');
      }
      return view({ ...row, name, active });
    },

    async remove(caller, id) {
      const row = ownedBy(await store.botUsers.get(id), caller.accountId);
      if (row === null) return false;
      const [credentials, keys] = await owned(caller.accountId, id);
      await store.commit([
        ...credentials.map((credential) => store.credentials.delete(credential.id)),
        ...keys.map((key) => store.apiKeys.delete(key.id)),
        store.botUsers.delete(id),
      ]);
      await endSessions(caller.accountId, credentials, 'the owner of the authtoken was deleted');
      return true;
    },
  };
}

function view({ id, createdAt, name, active }: BotUserRow): BotUserView {
  return { id, createdAt, name, active };
}
