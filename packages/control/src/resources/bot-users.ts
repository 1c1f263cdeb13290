import { fail } from '@postern/errors';
import type { BotUserRow, CredentialRow, Repository, Row } from '@postern/store';
import { endSessionsOf } from '../bootstrap.ts';
import type { HooksOf } from './hooks.ts';

/** Users that are programs. What they own works while they are active and goes with them. */
export const botUsers: HooksOf<'botUsers'> = (core) => {
  const { store } = core;

  async function endSessions(credentials: readonly CredentialRow[], reason: string): Promise<void> {
    for (const { accountId, id } of credentials) await endSessionsOf(core, accountId, id, reason);
  }

  return {
    make(head, { name = '', active = true }) {
      if (name === '') throw fail(18015, { field: 'name' });
      return { row: { ...head, name, active } };
    },
    change(patch) {
      if (patch.name === '') throw fail(18014, { field: 'name', reason: 'it may not be empty' });
      return patch;
    },
    async changed(before, { active }) {
      if (!before.active || active) return;
      await endSessions(await ownedBy(store.credentials, before), 'the owner of the authtoken is inactive');
    },
    async farewell(row) {
      const credentials = await ownedBy(store.credentials, row);
      const keys = await ownedBy(store.apiKeys, row);
      return {
        writes: [
          ...credentials.map(({ id }) => store.credentials.delete(id)),
          ...keys.map(({ id }) => store.apiKeys.delete(id)),
        ],
        afterwards: () => endSessions(credentials, 'the owner of the authtoken was deleted'),
      };
    },
  };
};

async function ownedBy<R extends Row & { readonly ownerId: string }>(
  table: Repository<R>,
  { accountId, id }: BotUserRow,
): Promise<R[]> {
  return (await table.list({ accountId })).filter(({ ownerId }) => ownerId === id);
}
