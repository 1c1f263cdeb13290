import { fail } from '@postern/errors';
import { createToken, type CredentialRow } from '@postern/store';
import { parseAclRule } from '../rules/acl.ts';
import { endSessionsOf } from '../bootstrap.ts';
import type { Core } from '../core.ts';
import { principalOf, readOwner } from '../principals.ts';
import { checkLength, DESCRIPTION_BYTES, isEmptyPatch, METADATA_BYTES } from '../texts.ts';
import type { CredentialCreate, CredentialUpdate, CredentialView, ResourceService } from '../types.ts';
import { listQuery, ownedBy, pageOf } from './paging.ts';

/** Authtokens of agents (api.md §6, credentials). The token is shown by the create call only. */
export function createCredentials(core: Core): ResourceService<CredentialView, CredentialCreate, CredentialUpdate> {
  const { store } = core;

  return {
    async create(caller, input) {
      checkInput(input);
      const id = core.ids.next('cr');
      const { token, tokenHash } = createToken(id, core.randomBytes);
      const row: CredentialRow = {
        id,
        accountId: caller.accountId,
        createdAt: core.timestamp(),
        description: input.description ?? '',
        metadata: input.metadata ?? '',
        ownerId: await readOwner(core, caller.accountId, input.ownerId),
        acl: input.acl ?? [],
        tokenHash,
        isDefault: false,
      };
      await store.commit([store.credentials.insert(row)]);
      return view(row, await principalOf(core, caller.accountId, ''), token);
    },

    async get(caller, id) {
      const row = ownedBy(await store.credentials.get(id), caller.accountId);
      return row === null ? null : view(row, await principalOf(core, caller.accountId, ''));
    },

    async list(caller, query) {
      const humanId = await principalOf(core, caller.accountId, '');
      const rows = await store.credentials.list(listQuery(caller.accountId, query));
      return pageOf(rows, query.limit, (row) => view(row, humanId));
    },

    /** A changed ACL counts from the next bind on. */
    async update(caller, id, patch) {
      const row = ownedBy(await store.credentials.get(id), caller.accountId);
      if (row === null) return null;
      if (isEmptyPatch(patch)) throw fail(606);
      checkInput(patch);
      const { description = row.description, metadata = row.metadata, acl = row.acl } = patch;
      await store.commit([store.credentials.update(id, { description, metadata, acl })]);
      return view({ ...row, description, metadata, acl }, await principalOf(core, caller.accountId, ''));
    },

    async remove(caller, id) {
      const row = ownedBy(await store.credentials.get(id), caller.accountId);
      if (row === null) return false;
      if (row.isDefault) throw fail(601, { id });
      await store.commit([store.credentials.delete(id)]);
      await endSessionsOf(core, caller.accountId, id, fail(300).message);
      return true;
    },
  };
}

function view(row: CredentialRow, humanId: string, token: string | null = null): CredentialView {
  const { id, createdAt, description, metadata, acl } = row;
  return { id, createdAt, description, metadata, token, acl, ownerId: row.ownerId === '' ? humanId : row.ownerId };
}

/** @throws 600, 604, 605 */
function checkInput(input: CredentialUpdate): void {
  checkLength(input.description, DESCRIPTION_BYTES, 604);
  checkLength(input.metadata, METADATA_BYTES, 605);
  for (const rule of input.acl ?? []) if (parseAclRule(rule) === null) throw fail(600, { rule });
}
