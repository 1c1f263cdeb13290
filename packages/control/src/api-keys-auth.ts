import { fail } from '@postern/errors';
import { isId, splitToken, tokenMatches } from '@postern/store';
import type { Core } from './core.ts';
import { principalOf, requireActiveOwner } from './principals.ts';
import type { Caller } from './types.ts';

/**
 * Who calls with this bearer credential (api.md §1). Read from the store on every call, so that a deleted key stops
 * working at once. The credential is never repeated in full.
 * @throws 202, 203, 206, 208, 636
 */
export async function authenticateApiKey(core: Core, bearer: string): Promise<Caller> {
  const masked = mask(bearer);
  if (isId('ak', bearer)) throw fail(208, { masked });
  const parts = splitToken(bearer);
  if (parts === null) throw fail(202, { masked });
  const key = await core.store.apiKeys.get(`ak_${parts.idSuffix}`);
  if (key === null || !tokenMatches(parts.secret, key.tokenHash)) {
    const credential = await core.store.credentials.get(`cr_${parts.idSuffix}`);
    const isAuthtoken = credential !== null && tokenMatches(parts.secret, credential.tokenHash);
    throw fail(isAuthtoken ? 206 : 203, { masked });
  }
  await requireActiveOwner(core, key.ownerId);
  const id = await principalOf(core, key.accountId, key.ownerId);
  return { accountId: key.accountId, principal: { id }, apiKeyId: key.id };
}

/** Whether the secret is that of an API key or authtoken that exists. */
export async function knowsToken(core: Core, token: string): Promise<boolean> {
  const parts = splitToken(token);
  if (parts === null) return false;
  const rows = await Promise.all([
    core.store.apiKeys.get(`ak_${parts.idSuffix}`),
    core.store.credentials.get(`cr_${parts.idSuffix}`),
  ]);
  return rows.some((row) => row !== null && tokenMatches(parts.secret, row.tokenHash));
}

function mask(bearer: string): string {
  return bearer.length <= 8 ? '"…"' : `"${bearer.slice(0, 4)}…"`;
}
