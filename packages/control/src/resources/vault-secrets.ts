import { fail } from '@postern/errors';
import type { HooksOf } from './hooks.ts';

/** Values in vaults, which may be named instead of given by their ids (api.md §6). */
export const vaultSecrets: HooksOf<'vaultSecrets'> = ({ store }) => ({
  async read(accountId, input) {
    const { vaultId = '', vaultName = '' } = input;
    if (vaultName === '') {
      if (vaultId === '') throw fail(24008, { field: 'vault_id' });
      return input;
    }
    const [vault] = await store.vaults.find({ accountId, name: vaultName });
    if (vault === undefined || (vaultId !== '' && vaultId !== vault.id)) throw fail(24009, { name: vaultName });
    return { ...input, vaultId: vault.id };
  },
  viewer() {
    const names = new Map<string, Promise<string>>();
    const nameOf = async (id: string): Promise<string> => (await store.vaults.get(id))?.name ?? '';
    return async ({ vaultId, value: _value, accountId: _account, ...shown }) => {
      const name = names.get(vaultId) ?? nameOf(vaultId);
      names.set(vaultId, name);
      return { ...shown, vaultId, vaultName: await name };
    };
  },
});
