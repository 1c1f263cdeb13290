import { createToken, type ApiKeyRow } from '@postern/store';
import type { Core } from '../core.ts';
import { principalOf, readOwner } from '../principals.ts';
import { checkLength, DESCRIPTION_BYTES, METADATA_BYTES } from '../texts.ts';
import type { ApiKeyCreate, ApiKeyUpdate, ApiKeyView, ResourceService } from '../types.ts';
import { listQuery, ownedBy, pageOf } from './paging.ts';

/** Keys to this API. Every call reads its key from the store, so a deleted one stops working at once. */
export function createApiKeys(core: Core): ResourceService<ApiKeyView, ApiKeyCreate, ApiKeyUpdate> {
  const { store } = core;

  return {
    async create(caller, input) {
      checkInput(input);
      const id = core.ids.next('ak');
      const { token, tokenHash } = createToken(id, core.randomBytes);
      const row: ApiKeyRow = {
        id,
        accountId: caller.accountId,
        createdAt: core.timestamp(),
        description: input.description ?? '',
        metadata: input.metadata ?? '',
        ownerId: await readOwner(core, caller.accountId, input.ownerId),
        tokenHash,
      };
      await store.commit([store.apiKeys.insert(row)]);
      return view(row, await principalOf(core, caller.accountId, ''), token);
    },

    async get(caller, id) {
      const row = ownedBy(await store.apiKeys.get(id), caller.accountId);
      return row === null ? null : view(row, await principalOf(core, caller.accountId, ''));
    },

    async list(caller, query) {
      const humanId = await principalOf(core, caller.accountId, '');
      const rows = await store.apiKeys.list(listQuery(caller.accountId, query));
      return pageOf(rows, query.limit, (row) => view(row, humanId));
    },

    async update(caller, id, patch) {
      const row = ownedBy(await store.apiKeys.get(id), caller.accountId);
      if (row === null) return null;
      checkInput(patch);
      const { description = row.description, metadata = row.metadata } = patch;
      await store.commit([store.apiKeys.update(id, { description, metadata })]);
      return view({ ...row, description, metadata }, await principalOf(core, caller.accountId, ''));
    },

    async remove(caller, id) {
      if (ownedBy(await store.apiKeys.get(id), caller.accountId) === null) return false;
      await store.commit([store.apiKeys.delete(id)]);
      return true;
    },
  };
}

function view(row: ApiKeyRow, humanId: string, token: string | null = null): ApiKeyView {
  const { id, createdAt, description, metadata } = row;
  return { id, createdAt, description, metadata, token, ownerId: row.ownerId === '' ? humanId : row.ownerId };
}

function checkInput(input: ApiKeyUpdate): void {
  checkLength(input.description, DESCRIPTION_BYTES, 604);
  checkLength(input.metadata, METADATA_BYTES, 605);
}
